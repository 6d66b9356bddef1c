// Three views of one image: the encoder that sees them, and the law of the two losses.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "expansion", keys: ["moved", "size", "bend"] });
    const { show, range } = kit;
    w.slider({ key: "moved", label: "share of views that move *q*~m~", min: 0.05, max: 1, step: 0.01,
      ticks: () => [{ label: "kurtosis of Laplace", value: 1 / 6 }, { label: "normal", value: 1 / 3 },
        { label: "uniform", value: 5 / 9 }, { label: "two views", value: 1 }] });
    w.slider({ key: "size", label: "size of the augmentation *r*~aug~", min: 0.1, max: 1.5, step: 0.05,
      ticks: () => [{ label: "small", value: 0.2 }, { label: "1", value: 1 }] });
    w.slider({ key: "bend", label: "second derivative of the encoder *F″*", min: -1.5, max: 1.5, step: 0.05,
      ticks: () => [{ label: "linear encoder", value: 0 }, { label: "bent", value: 1 }] });
    const shape = w.plot({ name: "encoder", title: "Three views and what the encoder makes of them",
      xlabel: "view, less the mean view", ylabel: "output", x: [-1.6, 1.6], y: [-3.6, 3.6],
      maxWidth: 460, legend: [{ looks: "s-ink w2", label: "encoder" },
        { looks: "s-quiet w1 dash", label: "its derivative, all that the first order sees" },
        { marker: "dot", looks: "f-blue", label: "views, larger if more likely" },
        { looks: "s-blue w2 dash", label: "mean output" }] });
    const law = w.plot({ name: "law", title: "How likely each value of the loss is",
      xlabel: "value of the loss", ylabel: "probability", x: [0, 4], y: [0, 1.05], maxWidth: 460,
      legend: [{ marker: "dot", looks: "f-blue", label: "twice the loss of a view against the mean" },
        { marker: "dot", looks: "f-red", label: "loss of a pair of views" },
        { looks: "s-ink w2 dash", label: "their common mean" }] });
    w.number("mean", "mean pair loss");
    w.number("first", "to first order");
    w.number("factor", "pair loss over loss against mean");
    w.number("variance", "ratio of the variances");
    w.number("relative", "ratio of the relative noises");

    return w.start(() => {
      const q = w.get("moved"), r = w.get("size"), bend = w.get("bend");
      const given = [q, r, 1, bend];
      const outputs = [forms.up(...given), forms.down(...given), forms.stay(...given)];
      const shares = [q / 2, q / 2, 1 - q];
      const moment = (k) => outputs.reduce((sum, a, i) => sum + shares[i] * a ** k, 0);
      const loss = moment(2), spread = Math.max(moment(4) - loss * loss, 0);
      const single = spread < 1e-13 ? 0 : spread;
      const pair = forms.pair_variance(single, loss * loss);
      const ratio = single === 0 ? Infinity : pair / single;
      const first = 2 * forms.series(r, 1, 0, 0, q, 0, q);
      const beyond = 2 * forms.series(r, 1, bend, 0, q, 0, q) - first;

      // ---- encoder
      const xs = range(-1.6, 1.6, 81), level = -outputs[2];
      shape.line("zero", -1.6, level, 1.6, level, "s-blue w2 dash");
      shape.curve("tangent", [-1.6, 1.6], [-1.6, 1.6], "s-quiet w1 dash");
      shape.curve("encoder", xs, xs.map((x) => x + (bend * x * x) / 2), "s-ink w2");
      [r, -r, 0].forEach((x, i) => {
        if (shares[i] <= 1e-9) return;
        shape.circle("view", x, outputs[i] + level, 3 + 9 * Math.sqrt(shares[i]), "f-blue");
      });
      shape.say(`Outputs of the three views less their mean: ${outputs.map((a) => show(a)).join(", ")}.`);

      // ---- law of both losses; equal values join
      const joined = (list) => {
        const found = [];
        for (const [value, share] of list) {
          const same = found.find((f) => Math.abs(f[0] - value) < 1e-9);
          if (same) same[1] += share;
          else if (share > 1e-12) found.push([value, share]);
        }
        return found;
      };
      const twice = joined(outputs.map((a, i) => [2 * a * a, shares[i]]));
      const pairs = joined(outputs.flatMap((a, i) => outputs.map((b, j) => [(a - b) ** 2, shares[i] * shares[j]])));
      const widest = Math.max(...twice.map((f) => f[0]), ...pairs.map((f) => f[0]));
      law.bounds([0, widest * 1.06], null);
      law.line("common", 2 * loss, 0, 2 * loss, 1.05, "s-ink w2 dash");
      const nudge = widest * 0.006;
      // stems side by side; dots where they belong, the second smaller, so that both show
      for (const [name, list, looks, side, radius] of [["twice", twice, "blue", -1, 7], ["pair", pairs, "red", 1, 4]])
        for (const [value, share] of list) {
          const x = Math.max(value + side * nudge, 0);
          law.line(`${name}-stem`, x, 0, x, share, `s-${looks} w3`);
          law.circle(name, value, share, radius, `f-${looks}`);
        }
      law.say(`Both losses have the mean ${show(2 * loss)}. Variance: ${show(4 * single)} for twice the loss against the mean, ${show(pair)} for a pair.`);

      // ---- words
      const relative = Math.sqrt(ratio) / 2;
      const close = Math.abs(relative - 1) < 0.005;
      const gap = Math.abs(2 * loss - first) / (2 * loss);
      const order = bend === 0 ? "The encoder is linear: the first order is exact."
        : `The first order misses ${show(100 * gap, 2)} % of the loss${Math.abs(beyond) > 0 ? ", all of it of fourth order, because the views lie symmetrically" : ""}.`;
      const [regime, tone, lead, rest] =
        ratio === Infinity ? ["noiseless", "", "One loss has no noise at all.", "Every view is equally far from the mean, so the loss against the mean never varies and the ratio is infinite. The mean gradient of the pair loss is still exactly twice the other."]
        : close ? ["critical", "", "The same noise.", "Relative to its mean the pair loss varies as much as the other. It is a change of the learning rate."]
        : relative > 1 ? ["noisier", "", "The pair loss is noisier.", `Relative to its mean it varies ${show(relative)} times as much. Its mean gradient is exactly twice the other, so it leads to the same place.`]
        : ["calmer", "", "The pair loss is the calmer one.", `Relative to its mean it varies only ${show(relative)} times as much. "Larger variance" is no law.`];
      return { regime, tone, caption: [lead, `${rest} ${order}`], numbers: {
        mean: 2 * loss, first, factor: { value: 2, text: "2 exactly" },
        variance: { value: ratio, text: ratio === Infinity ? "∞" : show(ratio) },
        relative: { value: relative, text: ratio === Infinity ? "∞" : show(relative) } } };
    });
  },
};
