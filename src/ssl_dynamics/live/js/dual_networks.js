// One leaky ReLU while its layer moves: exact up to the step at which the gate flips.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "dual_networks", keys: ["delta", "h", "leak"] });
    const { show, range } = kit;
    const RATE = 1;
    const flip = () => forms.flip(w.get("h"), RATE);

    w.slider({ key: "delta", label: "step *δ* of the layer", min: -2, max: 2, step: 0.02,
      ticks: () => [{ label: "no step", value: 0 }, { label: "gate flips", value: flip() }] });
    w.slider({ key: "h", label: "pre-activation *h* at the start", min: -1, max: 1, step: 0.02,
      ticks: () => [{ label: "on the kink", value: 0 }] });
    w.slider({ key: "leak", label: "slope *q* below zero", min: 0, max: 1, step: 0.02,
      ticks: () => [{ label: "ReLU", value: 0 }, { label: "linear", value: 1 }] });
    const plot = w.plot({ name: "neuron", title: "One neuron while its layer moves: its pre-activation is *h* + *δ*",
      xlabel: "step *δ*", ylabel: "output of the neuron", x: [-2, 2], y: [-3.1, 3.1], maxWidth: 0,
      ratio: 0.5, legend: [{ looks: "s-ink w3", label: "output" },
        { looks: "s-blue w2 dash", label: "old connection times new weights" },
        { looks: "s-red w3", label: "what it misses" }] });
    w.number("output", "output");
    w.number("frozen", "old connection says");
    w.number("gap", "difference");
    w.number("flip", "gate flips at *δ* =");

    return w.start(() => {
      const d = w.get("delta"), h = w.get("h"), q = w.get("leak"), at = flip();
      const now = { output: forms.output(h, RATE, d, q), frozen: forms.frozen(h, RATE, d, q),
        gap: forms.gap(h, RATE, d, q), flip: at };
      const ds = range(-2, 2, 201);
      plot.line("zero", -2, 0, 2, 0, "s-line w1");
      plot.line("edge", at, -3.1, at, 3.1, "s-quiet w1 dot");
      plot.curve("output", ds, ds.map((s) => forms.output(h, RATE, s, q)), "s-ink w3");
      plot.curve("frozen", ds, ds.map((s) => forms.frozen(h, RATE, s, q)), "s-blue w2 dash");
      plot.line("gap", d, now.frozen, d, now.output, "s-red w3");
      plot.circle("start", 0, forms.output(h, RATE, 0, q), 5, "f-paper s-ink w2", true);
      plot.circle("output-now", d, now.output, 6, "f-ink", true);
      plot.circle("frozen-now", d, now.frozen, 4, "f-blue", true);
      const moved = h + RATE * d, off = Math.abs(now.gap) > 1e-9;
      const [regime, tone, lead, rest] =
        Math.abs(q - 1) < 1e-9 ? ["linear", "good", "Linear: exact for every step.", "With one slope on both sides of zero there is no gate that could flip, and the connection never depends on the layer itself."]
        : Math.abs(h) < 1e-9 ? ["critical-kink", "bad", "On the kink there is no connection.", "At *h* = 0 the two sides have different slopes, so no gate can be kept and the output has no derivative. The dashed line takes the mean of the two."]
        : Math.abs(moved) < 1e-9 ? ["critical", "", "The gate flips here.", `At *δ* = ${show(d)} the pre-activation is zero. Up to this step the old connection was exact; beyond it the error grows from zero.`]
        : off ? ["off", "bad", "The gate has flipped.", `The old connection says ${show(now.frozen)}, the neuron puts out ${show(now.output)}. The difference is 1 − *q* times the size ${show(Math.abs(moved))} of the pre-activation.`]
        : ["exact", "good", "Exact.", `The gate is the one of the start, so the old connection times the new weights is the output, ${show(now.output)}, not an approximation of it.`];
      plot.say(`At step ${show(d)} the output is ${show(now.output)}, the old connection says ${show(now.frozen)}.`);
      return { regime, tone, caption: [lead, rest], numbers: now };
    });
  },
};
