// The pole plane of one mode and its moving-average target, with the response beside it.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "ema", keys: ["alpha_a", "alpha_b", "gamma"] });
    const { show, range } = kit;
    const STEPS = 40;
    const now = () => [1, w.get("alpha_a"), w.get("alpha_b"), w.get("gamma")];
    // where an exit condition crosses zero; it is affine in the argument number `slot`
    const crossing = (exit, slot) => {
      const at = (v) => exit(...now().map((old, i) => (i === slot ? v : old)));
      return at(0) / (at(0) - at(1));
    };

    w.slider({ key: "alpha_a", label: "decay gain *αa*", min: 0, max: 3, step: 0.01,
      ticks: () => [{ label: "pole at +1", value: now()[2] },
        { label: "pole at −1", value: forms.critical_gain(1, now()[2], now()[3]) }] });
    w.slider({ key: "alpha_b", label: "growth gain *αb*", min: 0, max: 3, step: 0.01,
      ticks: () => [{ label: "pole at +1", value: now()[1] },
        { label: "pole at −1", value: crossing(forms.second_exit, 2) }] });
    w.slider({ key: "gamma", label: "EMA rate *γ*", min: 0, max: 0.999, step: 0.005, digits: 3,
      ticks: () => [{ label: "no EMA", value: 0 }, { label: "0.99", value: 0.99 },
        { label: "pole at −1", value: crossing(forms.second_exit, 3) }] });
    const plane = w.plot({ name: "poles", title: "The two poles: growth factors of one step",
      xlabel: "real part", ylabel: "imaginary part", x: [-2.1, 2.1], y: [-1.3, 1.3], equal: true,
      maxWidth: 460, legend: [{ marker: "cross", looks: "s-ink w3", label: "pole" },
        { looks: "s-blue w3", label: "its path from *γ* = 0 to 1" }] });
    const answer = w.plot({ name: "response", title: "The weight, step by step",
      xlabel: "step *n*", ylabel: "size of the weight", x: [0, STEPS], y: [-3, 3], log: true,
      ratio: 0.615, maxWidth: 460, legend: [
        { marker: "dot", looks: "f-ink", label: "positive" },
        { marker: "dot", looks: "f-paper s-ink w1", label: "negative" },
        { looks: "s-ink w1", label: "from the poles" },
        { looks: "s-blue w2 dash", label: "without EMA" }] });
    w.number("outer", "pole farthest out");
    w.number("inner", "other pole");
    w.number("time", "doubles or halves in");
    w.number("bare", "pole without EMA");

    const poles = (gains) => {
      const half = forms.trace(...gains) / 2, gap = half * half - forms.determinant(...gains);
      const root = Math.sqrt(Math.abs(gap));
      // rounding may make a double root look complex: forgive it
      return gap >= -1e-15 ? [[half + root, 0], [half - root, 0]] : [[half, root], [half, -root]];
    };
    const size = ([x, y]) => Math.hypot(x, y);
    const outermost = (pair) => (size(pair[1]) > size(pair[0]) ? [pair[1], pair[0]] : pair);
    const words = ([x, y]) => (y ? `${show(x, 4)} ${y > 0 ? "+" : "−"} ${show(Math.abs(y), 4)}i` : show(x, 4));
    const walk = (gains) => {
      const [[p, q], [r, s]] = forms.step(...gains);
      const out = [1];
      for (let n = 0, u = 1, v = 1; n < STEPS; n += 1) {
        [u, v] = [p * u + q * v, r * u + s * v];
        out.push(u);
      }
      return out;
    };

    return w.start(() => {
      const gains = now(), [, a, b, gamma] = gains;
      const pair = poles(gains), [outer, inner] = outermost(pair), far = size(outer);
      const bare = outermost(poles([1, a, b, 0]))[0];

      // ---- plane
      const radius = plane.X(1) - plane.X(0), o = [plane.X(0), plane.Y(0)];
      plane.shape(`M${o[0] - radius} ${o[1]}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0Z`,
        "f-wash s-quiet w1", { "data-mark": "circle" });
      plane.line("real", -2.1, 0, 2.1, 0, "s-line w1");
      plane.line("imaginary", 0, -1.3, 0, 1.3, "s-line w1");
      const sweep = range(0, 0.999, 91).map((g) => poles([1, a, b, g]));
      for (const k of [0, 1])
        plane.curve(`path-${k}`, sweep.map((s) => s[k][0]), sweep.map((s) => s[k][1]), "s-blue w3");
      for (const [k, z] of poles([1, a, b, 0]).entries())
        plane.circle(`start-${k}`, z[0], z[1], 3.5, "f-blue", true);
      plane.text(0, 0, "dies out", { anchor: "middle", dy: -0.5 * radius, looks: "quiet-text" });
      pair.forEach((z, k) => {
        const edge = kit.clamp(z[0], -2.04, 2.04);
        const mark = plane.cross(`pole-${k}`, edge, z[1], 7, size(z) > 1 + 1e-12 ? "s-red w3" : "s-ink w3");
        mark.dataset.x = z[0];
        const way = z[0] > edge ? " →" : z[0] < edge ? " ←" : ""; // it lies beyond the frame
        plane.text(edge, z[1], words(z) + way, { anchor: "middle", dy: k ? 25 : -15 });
      });
      plane.say(`Unit circle with poles at ${words(pair[0])} and ${words(pair[1])}.`);

      // ---- response
      const ns = range(0, STEPS, STEPS + 1), run = walk(gains);
      const height = (v) => (v === 0 ? NaN : Math.log10(Math.abs(v)));
      answer.line("one", 0, 0, STEPS, 0, "s-quiet w1");
      answer.curve("bare", ns, walk([1, a, b, 0]).map(height), "s-blue w2 dash");
      if (pair[0][1] === 0 && pair[0][0] !== pair[1][0])
        answer.curve("closed", ns, ns.map((n) => height(forms.response(1, a, b, 1, 1, pair[0][0], pair[1][0], n))), "s-ink w1");
      ns.forEach((n) => {
        const y = height(run[n]);
        if (!(y > -3.05 && y < 3.05)) return;
        const dot = answer.circle("weight", n, y, 3, run[n] > 0 ? "f-ink" : "f-paper s-ink w1", true);
        dot.dataset.value = run[n];
      });
      answer.say(`After ${STEPS} steps the weight is ${show(run[STEPS])}, without EMA ${show(walk([1, a, b, 0])[STEPS])}.`);

      // ---- words
      const up = forms.first_exit(...gains), down = forms.second_exit(...gains);
      const zero = (v) => Math.abs(v) < 1e-12;
      const fold = Math.log(2) / Math.abs(Math.log(far));
      const steps = (v) => `${show(v)} ${show(v) === "1" ? "step" : "steps"}`;
      const pace = show(fold) === "1" ? "every step" : `every ${steps(fold)}`;
      const slow = gamma > 0 && b > a ? ` Without EMA the pole would be at ${show(bare[0], 4)}: EMA slows the growth, it does not stop it.` : "";
      const other = Math.min(forms.second_exit(1, a, b, 0), forms.second_exit(1, a, b, 1)) < 0
        ? " Another EMA rate would let a pole out through −1." : " No EMA rate changes this.";
      const [regime, tone, lead, rest] =
        down < -1e-12 && up < -1e-12 ? ["both", "bad", "Both poles are outside.", `One is above +1 because *b* > *a*, one below −1 because the step is too large. The oscillating one is at ${words(pair[1])}, the growing one at ${words(pair[0])}.`]
        : down < -1e-12 ? ["oscillates", "bad", "The mode oscillates and grows, although *b* ≤ *a*.", `A pole has left through −1, at ${words(pair[1])}: the step is too large, *αa* is above ${show(forms.critical_gain(1, b, gamma), 4)}.${zero(up) ? " The start drawn here, weight and target equal, lies on the other pole, at +1, and stands still; any other start oscillates." : ""}`]
        : zero(down) && up < -1e-12 ? ["critical-minus-grows", "bad", "The mode grows through +1, and a pole sits at −1.", `The pole at ${words(pair[0])} is outside because *b* > *a*; the one at −1 adds an oscillation that neither grows nor decays.`]
        : zero(down) && zero(up) ? ["critical-both", "", "Critical: poles at +1 and −1.", "The weight neither grows nor decays; unless weight and target start equal, as drawn here, it changes at every step between two values."]
        : zero(down) ? ["critical-minus", "", "Critical: a pole sits at −1.", "In the long run the weight changes its sign at every step and keeps its size. A larger *αa* makes the oscillation grow."]
        : zero(up) ? ["critical-plus", "", "Critical: a pole sits at +1.", "With *a* = *b* this pole stays at +1 whatever the EMA rate is: in the long run the weight neither grows nor decays."]
        : up < 0 ? ["grows", "good", "The mode grows, because *b* > *a*.", `One pole is outside through +1, at ${words(pair[0])}; the weight doubles ${pace}.${slow}`]
        : ["stable", "", "The mode dies out, because *b* < *a*.", far === 0 ? "Both poles are at 0: nothing is left after two steps." : `Both poles are inside the circle; in the long run the weight halves ${pace}.${other}`];
      const critical = zero(up) || zero(down);
      return { regime, tone, caption: [lead, rest], numbers: {
        outer: { value: outer[0], text: words(outer) }, inner: { value: inner[0], text: words(inner) },
        time: { value: critical && far < 1 + 1e-9 ? Infinity : fold, text: far === 0 ? "at once" : critical && far < 1 + 1e-9 ? "∞ steps" : steps(fold) },
        bare: { value: bare[0], text: words(bare) } } };
    });
  },
};
