// One mode of the linear model: its plane, the parabola, and one orbit from a start to drag.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "directpred", keys: ["p", "s", "decay", "tau"] });
    const { show, fixed, range, clamp } = kit;
    const LOW = -0.4, HIGH = 0.9, TOP = 0.5, H = 0.1, SIGMA = 1, RATE = 1;
    w.slider({ key: "decay", label: "weight decay *λ*~d~", min: 0, max: 0.2, step: 0.005, digits: 3,
      ticks: () => [{ label: "none", value: 0 }, { label: "0.05", value: 0.05 },
        { label: "critical", value: forms.critical(w.get("tau"), SIGMA) }] });
    w.slider({ key: "tau", label: "size of the target *τ*, small early under EMA", min: 0.1, max: 1.2, step: 0.01,
      ticks: () => [{ label: "all collapse below", value: forms.grow(SIGMA, w.get("decay")) },
        { label: "all align below", value: forms.align(SIGMA, w.get("decay")) }, { label: "1", value: 1 }] });
    w.choices("start, or drag the point", [
      { label: "on the parabola (0.1, 0.01)", values: { p: 0.1, s: 0.01 } },
      { label: "far below it (0.1, 0.0005)", values: { p: 0.1, s: 0.0005 } },
      { label: "far above it (0.03, 0.2)", values: { p: 0.03, s: 0.2 } },
      { label: "negative (−0.3, 0.05)", values: { p: -0.3, s: 0.05 } }]);
    const plane = w.plot({ name: "plane", title: "The mode from its start to its end",
      xlabel: "predictor *p*", ylabel: "strength *s*", x: [LOW, HIGH], y: [0, TOP], ratio: 0.75,
      handles: true, maxWidth: 520, legend: [
        { looks: "s-quiet w3 dash", label: "parabola *s* = *p*^2^" },
        { looks: "s-ink w3", label: "orbit" },
        { marker: "dot", looks: "f-green", label: "*p*~+~" },
        { marker: "dot", looks: "f-red", label: "*p*~−~, threshold on the parabola" }] });
    w.number("p", "*p* at the end, Runge–Kutta");
    w.number("s", "*s* at the end, Runge–Kutta");
    w.number("plus", "*p*~+~, closed form");
    w.number("minus", "*p*~−~, closed form");
    w.number("critical", "critical weight decay");
    w.number("rate", "alignment rate *K* at the start");

    // Runge and Kutta's method of order four; longer where the decay is slow.
    function orbit(p0, s0, tau, decay) {
      const end = decay > 0 ? Math.max(400, 12 / decay) : 400, steps = Math.round(end / H);
      const at = (p, s) => { const d = forms.flow(p, s, tau, SIGMA, RATE, decay); return [d[0][0], d[1][0]]; };
      const ps = [p0], ss = [s0];
      let p = p0, s = s0, far = 0;
      for (let n = 1; n <= steps; n += 1) {
        const [a, b] = at(p, s), [c, d] = at(p + (H / 2) * a, s + (H / 2) * b);
        const [e, g] = at(p + (H / 2) * c, s + (H / 2) * d), [i, j] = at(p + H * e, s + H * g);
        const dp = (H / 6) * (a + 2 * c + 2 * e + i), ds = (H / 6) * (b + 2 * d + 2 * g + j);
        p += dp;
        s += ds;
        far += Math.hypot(dp, ds);
        if (far > 0.004 || n === steps) { ps.push(p); ss.push(s); far = 0; }
      }
      return { ps, ss, p, s };
    }

    return w.start(() => {
      const p0 = w.get("p"), s0 = w.get("s"), decay = w.get("decay"), tau = w.get("tau");
      const critical = forms.critical(tau, SIGMA), above = decay > critical + 1e-12;
      const edge = Math.abs(decay - critical) <= 1e-12; // both roots meet
      const root = above ? null : edge ? [tau / (2 * (1 + SIGMA ** 2)), tau / (2 * (1 + SIGMA ** 2))]
        : [forms.minus(tau, SIGMA, decay), forms.plus(tau, SIGMA, decay)];
      const path = orbit(p0, s0, tau, decay);
      // Without decay the closed form decides: near the edge the orbit takes longer than it is drawn.
      const last = decay === 0 ? forms.end(p0, s0, tau, SIGMA, RATE) : path.s;
      const alive = !above && last > (decay === 0 ? 1e-12 : 1e-4);

      const xs = range(LOW, HIGH, 131);
      plane.curve("parabola", xs, xs.map((x) => x * x), "s-quiet w3 dash");
      plane.curve("orbit", path.ps, path.ss, "s-ink w3");
      if (root) {
        plane.circle("minus", root[0], root[0] ** 2, 6, "f-red");
        plane.circle("plus", root[1], root[1] ** 2, 6, "f-green");
      }
      plane.circle("end", path.p, path.s, 4.5, alive ? "f-green s-ink w1" : "f-red s-ink w1", true);
      plane.handle("start", { at: [p0, s0], looks: "f-blue", step: [0.01, 0.005],
        label: "start of the orbit: arrow keys left and right move the predictor, up and down the strength",
        valuetext: `predictor ${fixed(p0)}, strength ${fixed(s0, 4)}`,
        onmove: (x, y) => w.set({ p: clamp(Number(x.toFixed(3)), LOW, HIGH), s: clamp(Number(y.toFixed(4)), 0, TOP) }) });
      plane.say(`From predictor ${show(p0)} and strength ${show(s0)} to predictor ${show(path.p)} and strength ${show(path.s)}.`);

      const rate = forms.rate(p0, s0, tau, SIGMA, RATE, decay);
      const all = decay > 0 && tau < forms.align(SIGMA, decay);
      const aligned = `${rate > 0 ? "At the start it gains alignment" : "At the start it loses alignment: it grows too fast"}${all ? "; at this *τ* every mode on the parabola gains it." : "."}`;
      const off = Math.abs(s0 - p0 * p0) > 1e-9;
      const side = root && decay > 0 && off && alive !== p0 > root[0] ? ` Note that *p* starts ${p0 > root[0] ? "above" : "below"} *p*~−~: off the parabola that is no threshold.` : "";
      const [regime, tone, lead, rest] =
        s0 === 0 ? ["resting", "bad", "The mode is off.", "With strength 0 the encoder has nothing in this direction, and nothing can come of it."]
        : above ? ["above critical", "bad", "Above the critical decay.", `Every mode collapses, from every start: the strength falls to ${show(path.s)}.`]
        : edge ? ["critical", "", "At the critical decay.", `The two fixed points have met${alive ? "; the orbit creeps towards them" : "; this start lies too low and goes to 0"}. A little more decay, or a smaller target, and nothing survives.`]
        : alive ? ["grows", "good", decay > 0 ? "Grows to *p*~+~." : "Survives.", `${decay > 0 ? "The predictor ends" : "By time 400 the predictor is"} at ${show(path.p)} and the strength at ${show(path.s)}${decay > 0 ? ", on the parabola" : `; it ends at ${show(last)}, for without decay the mode keeps its distance from the parabola`}.${side} ${aligned}`]
        : ["collapse", "bad", "Collapse.", `The strength goes to 0${path.s > 1e-4 ? `, slowly: it is ${show(path.s)} by time ${Math.round(decay > 0 ? Math.max(400, 12 / decay) : 400)}` : ""}.${side} ${aligned}`];
      const none = { value: NaN, text: "none" };
      return { regime, tone, caption: [lead, rest], numbers: { p: path.p, s: path.s,
        plus: root ? root[1] : none, minus: root ? root[0] : none, critical, rate } };
    });
  },
};
