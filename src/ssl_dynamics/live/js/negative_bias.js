// Two gates on two correlated normal inputs: the quadrant in which both are open, and its probability.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "negative_bias", keys: ["bias_j", "bias_k", "rho"] });
    const { show, range } = kit;
    const WIDE = 3.2, MOST = 0.95, NODES = 64;

    const biases = () => [{ label: "−2", value: -2 }, { label: "−1", value: -1 }, { label: "−0.1", value: -0.1 },
      { label: "no bias", value: 0 }];
    w.slider({ key: "bias_j", label: "relative bias of this node *b*~j~", min: -2.5, max: 2.5, step: 0.05, ticks: biases });
    w.slider({ key: "bias_k", label: "relative bias of the other node *b*~k~", min: -2.5, max: 2.5, step: 0.05,
      ticks: () => [{ label: "as this node", value: w.get("bias_j") }, { label: "no bias", value: 0 }] });
    w.slider({ key: "rho", label: "correlation of the two inputs *ρ*~jk~", min: -MOST, max: MOST, step: 0.01,
      ticks: () => [{ label: "almost opposite", value: -MOST }, { label: "none", value: 0 }, { label: "0.3", value: 0.3 },
        { label: "almost a copy", value: MOST }] });
    const plane = w.plot({ name: "plane", title: "Standardised inputs of the two nodes", equal: true, maxWidth: 340,
      xlabel: "input of this node", ylabel: "input of the other node", x: [-WIDE, WIDE], y: [-WIDE, WIDE],
      legend: [{ looks: "s-ink w2", label: "1, 2, 3 deviations" }, { looks: "s-blue w2 dash", label: "this gate opens" },
        { looks: "s-red w2 dot", label: "the other gate opens" }, { looks: "f-green tint", label: "both open", marker: "area" }] });
    const curve = w.plot({ name: "ratio", title: "Overlap ratio by correlation", maxWidth: 420, ratio: 0.8,
      xlabel: "correlation *ρ*~jk~", ylabel: "P(both open) / P(this one open)", x: [-1, 1], y: [0, 1.02],
      legend: [{ looks: "s-green w3", label: "overlap ratio" }, { looks: "s-red w2 dot", label: "the other node alone" }] });
    w.number("open_j", "P(this one open)");
    w.number("open_k", "P(the other open)");
    w.number("both", "P(both open)");
    w.number("ratio", "overlap ratio");
    w.number("floor", "least ratio in a layer of 64 like this node");

    // Gauss's rule on [-1, 1]: zeros of the Legendre polynomial by Newton's method
    const rule = Array.from({ length: NODES }, (_, i) => {
      let x = Math.cos((Math.PI * (i + 0.75)) / (NODES + 0.5)), slope = 1;
      for (let k = 0; k < 50; k += 1) {
        let [a, b] = [1, x];
        for (let n = 2; n <= NODES; n += 1) [a, b] = [b, ((2 * n - 1) * x * b - (n - 1) * a) / n];
        slope = (NODES * (x * b - a)) / (x * x - 1);
        x -= b / slope;
        if (Math.abs(b / slope) < 1e-15) break;
      }
      return [x, 2 / ((1 - x * x) * slope * slope)];
    });
    const integral = (f, low, high) =>
      rule.reduce((sum, [x, weight]) => sum + weight * f((low + high) / 2 + ((high - low) / 2) * x), 0) * ((high - low) / 2);
    const open = (b) => 0.5 + integral(forms.open_rate, 0, b);
    const both = (bj, bk, rho) =>
      open(bj) * open(bk) + integral((angle) => forms.both_turn(bj, bk, angle), Math.acos(rho), Math.PI / 2);

    return w.start(() => {
      const [bj, bk, rho] = ["bias_j", "bias_k", "rho"].map((key) => w.get(key));
      const [pj, pk, pjk] = [open(bj), open(bk), both(bj, bk, rho)], ratio = pjk / pj;
      const floor = Math.max(forms.floor(pj, 64), 0);

      plane.area("quadrant", [-bj, WIDE], [-bk, -bk], [WIDE, WIDE], "f-green tint");
      const around = range(0, 2 * Math.PI, 121), across = Math.sqrt(1 - rho * rho);
      for (const r of [1, 2, 3])
        plane.curve(`ellipse-${r}`, around.map((a) => r * Math.cos(a)),
          around.map((a) => r * (rho * Math.cos(a) + across * Math.sin(a))), r === 1 ? "s-ink w2" : "s-ink w1");
      plane.line("gate-j", -bj, -WIDE, -bj, WIDE, "s-blue w2 dash");
      plane.line("gate-k", -WIDE, -bk, WIDE, -bk, "s-red w2 dot");
      plane.circle("corner", -bj, -bk, 4, "f-green", true);
      plane.say(`This gate opens right of ${show(-bj)}, the other above ${show(-bk)}; both are open with probability ${show(pjk)}.`);

      const at = range(-MOST, MOST, 77);
      curve.line("alone", -1, pk, 1, pk, "s-red w2 dot");
      curve.curve("ratio", at, at.map((r) => both(bj, bk, r) / pj), "s-green w3");
      curve.circle("now", rho, ratio, 6, "f-ink");
      curve.say(`The overlap ratio is ${show(ratio)} at correlation ${show(rho)}; without correlation it is ${show(pk)}.`);

      const free = Math.abs(rho) < 1e-9, plain = Math.abs(bj) < 1e-9 && Math.abs(bk) < 1e-9;
      const near = `Independent nodes would give ${show(pk)}.`;
      const [regime, tone, lead, rest] =
        free ? ["critical: independent", "", "Independent nodes.", `The ratio ${show(ratio)} is the probability that the other node is open, whatever this one does.`]
        : plain ? ["critical: no bias", "", "No bias on either side.", `The ratio is one half plus the arcsine of the correlation over π: ${show(ratio)}.`]
        : ratio < 0.1 && pk >= 0.1 ? ["apart", "good", "Rarely together, because they are opposed.", `The overlap ratio is ${show(ratio)}. ${near}`]
        : ratio < 0.1 ? ["rare", "good", "Rarely together.", `The overlap ratio is ${show(ratio)}: the other bias is far below zero. ${near}`]
        : bj < 0 && bk < 0 && rho > 0.8 ? ["copies", "bad", "Both biases are negative, and the inputs are nearly the same.", `The overlap ratio is ${show(ratio)}: when this node is open, the other's gate sees almost the same input. ${near}`]
        : bj < 0 && bk < 0 ? ["negative", "bad", "Both biases are negative, and the overlap is not small.", `The ratio is ${show(ratio)}. The sign says no more than that each is open less than half of the time.`]
        : ratio < 0.5 ? ["between", "", "The overlap is below one half, but not small.", `Given that this node is open, the other is open with probability ${show(ratio)}. ${near}`]
        : ["often", "", "The overlap is large.", `Given that this node is open, the other is open with probability ${show(ratio)}. ${near}`];
      return { regime, tone, caption: [lead, rest],
        numbers: { open_j: pj, open_k: pk, both: pjk, ratio, floor } };
    });
  },
};
