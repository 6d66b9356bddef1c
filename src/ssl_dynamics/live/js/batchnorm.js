// A batch on a line: arriving gradients on the left, handed-down gradients on the right.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "batchnorm", keys: ["variant", "x", "g"] });
    const { show, fixed, mean, clamp } = kit;
    const first = { x: w.get("x"), g: w.get("g") };
    const XS = [-2.5, 2.5], GS = [-2, 2];
    // what is removed: "m" the mean, "s" the slope along x, "1" division by the deviation
    const variants = {
      mu_sigma: ["full BatchNorm: (x − μ) / σ", "What arrives loses its straight-line fit: the mean and the slope are taken out, the rest is divided by *σ*."],
      mu_sigmadet: ["(x − μ) / σ, σ detached", "The mean is taken out, the slope along *x* stays; the rest is divided by *σ*."],
      mu: ["centring only: x − μ", "The mean is taken out, the slope along *x* stays."],
      mudet_sigma: ["(x − μ) / σ, μ detached", "The slope is taken out, but the mean passes, divided by *σ*: the batch as a whole is pushed."],
      mudet_sigmadet: ["(x − μ) / σ, both detached", "Nothing is taken out: every gradient is only divided by *σ*, and the mean passes."],
      mudet: ["x − μ, μ detached", "The gradient passes as it is: a detached mean is a constant. The mean passes with it."],
      sigma: ["scaling only: x / σ", "The mean passes, divided by *σ*; what is taken out is the part along *x* itself, not along *x* − *μ*."],
      sigmadet: ["x / σ, σ detached", "Nothing is taken out: every gradient is only divided by *σ*, and the mean passes."],
      none: ["no normalisation: x", "The gradient passes as it is, and its mean with it."],
    };

    w.select({ key: "variant", label: "the layer", options: Object.entries(variants).map(([k, v]) => [k, v[0]]) });
    const presets = [
      { label: "start again", values: first },
      { label: "all equal", values: { ...first, g: first.x.map(() => 0.8) } },
      { label: "a straight line in *x*", values: { ...first, g: first.x.map((v) => Number((0.3 + 0.5 * v).toFixed(4))) } }];
    const same = (one, two) => JSON.stringify(one) === JSON.stringify(two);
    w.choices("arriving gradients, or drag a blue tip", presets);
    const above = w.plot({ name: "above", title: "Arriving from above: *g*", xlabel: "feature *x*",
      ylabel: "gradient", x: XS, y: GS, handles: true, maxWidth: 460, ratio: 0.8, legend: [
        { looks: "s-blue w3", label: "*g* at each sample" },
        { looks: "s-red w2 dash", label: "straight-line fit" }] });
    const below = w.plot({ name: "below", title: "Handed down to *x*", xlabel: "feature *x*",
      ylabel: "gradient", x: XS, y: GS, maxWidth: 460, ratio: 0.8, legend: [
        { looks: "s-ink w3", label: "gradient" },
        { looks: "s-red w2 dash", label: "its fit" },
        { marker: "dot", looks: "s-quiet w1", label: "before your move" }] });
    w.number("arriving", "mean of *g*");
    w.number("mean", "mean handed down");
    w.number("along", "its part along *x̂*");

    const gradients = (x, g, variant) => {
      const mu = mean(x), gbar = mean(g);
      const sigma = Math.sqrt(mean(x.map((v) => (v - mu) ** 2)));
      const c = mean(x.map((v, i) => (v - mu) * (g[i] - gbar)));
      const down = x.map((v, i) => forms[variant](v, g[i], mu, sigma, 0, gbar, c));
      return { mu, sigma, gbar, c, down };
    };
    // the straight line of least squares through (x, y): its mean and its slope
    const fit = (x, y, mu, sigma) => [mean(y), mean(x.map((v, i) => (v - mu) * y[i])) / sigma ** 2];
    let moved = null, before = null;

    return w.start(() => {
      const x = w.get("x"), g = w.get("g"), variant = w.get("variant");
      const { mu, sigma, down } = gradients(x, g, variant);
      const flat = sigma < 1e-9, divides = variant.includes("sigma");
      if (presets.some(({ values }) => same(values.x, x) && same(values.g, g))) moved = before = null;
      for (const [plot, values, looks, fill, mark] of [[above, g, "s-blue w3", "f-blue", "g"], [below, down, "s-ink w3", "f-ink", "down"]]) {
        plot.line("zero", XS[0], 0, XS[1], 0, "s-quiet w1");
        const [level, slope] = fit(x, values, mu, sigma);
        if (!flat) plot.curve(`fit-${mark}`, XS, XS.map((v) => level + slope * (v - mu)), "s-red w2 dash");
        values.forEach((v, i) => {
          if (!Number.isFinite(v)) return;
          const tip = plot.arrow(`${mark}-${i}`, x[i], 0, x[i], clamp(v, -2.1, 2.1), looks, fill, mark === "g" ? 0.01 : 8);
          tip.dataset.y = v;
          if (mark === "down") plot.circle(`foot-${i}`, x[i], 0, 2.5, fill);
        });
      }
      const changed = before && before.variant === variant && before.x.length === x.length ? gradients(before.x, before.g, variant).down : null;
      const stirred = moved !== null && changed?.every(Number.isFinite) && !same([before.x, before.g], [x, g]);
      if (stirred) changed.forEach((v, i) => below.circle(`before-${i}`, before.x[i], v, 4.5, "s-quiet w1", true));
      x.forEach((at, i) => above.handle(`point-${i}`, { at: [at, g[i]], step: [0.1, 0.1], radius: 6,
        label: `sample ${i + 1}: arrow keys left and right move its feature, up and down its gradient`,
        valuetext: `feature ${fixed(at)}, gradient ${fixed(g[i])}`, mark: `tip-${i}`,
        onstart: () => {
          if (moved === i) return;
          moved = i;
          before = { x: w.get("x"), g: w.get("g"), variant: w.get("variant") };
        },
        onmove: (nx, ny) => {
          if (moved !== i || !before) [moved, before] = [i, { x: w.get("x"), g: w.get("g") }];
          before.variant = w.get("variant");
          w.set({ x: w.get("x").map((v, k) => (k === i ? Number(nx.toFixed(2)) : v)), g: w.get("g").map((v, k) => (k === i ? Number(ny.toFixed(2)) : v)) });
        } }));

      const numbers = { arriving: mean(g), mean: mean(down), along: mean(down.map((v, i) => (v * (x[i] - mu)) / sigma)) };
      above.say(`Arriving gradients ${g.map((v) => fixed(v)).join(", ")}.`);
      below.say(`Handed-down gradients ${down.map((v) => show(v)).join(", ")}.`);
      if (flat && divides) return { regime: "undefined", tone: "bad", numbers, caption: ["All points coincide.", "The deviation is 0: nothing can be divided by it. Move one point away."] };
      const dust = (v) => Math.abs(v) < 1e-9;
      const others = stirred ? down.filter((v, i) => i !== moved && Math.abs(v - changed[i]) > 1e-9).length : 0;
      const news = stirred ? ` You moved sample ${moved + 1}: the gradient of ${others ? `${others} other${others > 1 ? "s" : ""}` : "no other sample"} changed.` : "";
      const longest = Math.max(...down.map(Math.abs));
      const far = longest > GS[1] ? ` The longest arrow, ${show(longest)}, leaves the picture.` : "";
      const nothing = down.every(dust) && !g.every(dust);
      const [regime, tone, lead] =
        nothing ? ["silent", "", "Nothing gets through."]
        : flat ? ["flat", "", `All points coincide; the mean handed down is ${show(numbers.mean)}.`]
        : dust(numbers.mean) && dust(numbers.along) ? ["both", "good", "Mean 0, and nothing along *x̂*."]
        : dust(numbers.mean) ? ["centred", "good", "Mean 0, but a part along *x̂* is left."]
        : dust(numbers.along) ? ["scaled", "bad", `The mean ${show(numbers.mean)} passes; nothing along *x̂* does.`]
        : ["passes", "bad", `The mean ${show(numbers.mean)} passes.`];
      return { regime, tone, numbers, caption: [lead, variants[variant][1] + far + news] };
    });
  },
};
