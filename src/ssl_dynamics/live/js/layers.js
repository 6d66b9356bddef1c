// Three modes of a balanced linear network: their variance in every layer, and the ratio over time.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "layers", keys: ["moment", "depth", "log_start"] });
    const { show, range } = kit;
    const NOISE = 0.02, END = 20, POINTS = 161, PARTS = 25, TIMES = range(0, END, POINTS);
    const MODES = [["super", 0.42, "s-blue w3", "f-blue", "super-class"], ["class", 0.17, "s-red w3", "f-red", "class"],
      ["sample", 0.08, "s-green w3", "f-green", "sample"]];

    w.slider({ key: "moment", label: "time *t*", min: 0, max: END, step: 0.125,
      ticks: () => [{ label: "start", value: 0 }, { label: "end", value: END }] });
    w.slider({ key: "depth", label: "layers *L*", min: 1, max: 8, step: 1, digits: 0,
      ticks: () => [{ label: "one", value: 1 }, { label: "four", value: 4 }] });
    w.slider({ key: "log_start", label: "start: log~10~ of the squared gain *g*", min: -3, max: 0.5, step: 0.05,
      ticks: () => [{ label: "small", value: -2 }, { label: "a rotation", value: 0 }] });
    const inside = w.plot({ name: "layers", title: "Variance between images along three modes, by layer", maxWidth: 400,
      xlabel: "place in depth *l*/*L*", ylabel: "log~10~ of the variance", x: [0, 1], y: [-4, 1],
      legend: MODES.map(([, , looks, , label]) => ({ looks, label })) });
    const time = w.plot({ name: "ratio", title: "Super-class over class, over time", maxWidth: 400,
      xlabel: "time *t*", ylabel: "log~10~ of the ratio", x: [0, END], y: [-0.5, 2],
      legend: [{ looks: "s-ink w3", label: "last layer" }, { looks: "s-quiet w2 dot", label: "input" },
        { marker: "dot", looks: "f-ink", label: "now" }] });
    w.number("input", "ratio in the input");
    w.number("last", "ratio in the last layer");
    w.number("step", "factor a layer");

    return w.start(() => {
      const L = Math.round(w.get("depth")), start = 10 ** w.get("log_start");
      const at = Math.round((w.get("moment") / END) * (POINTS - 1));
      // Runge and Kutta for the logarithm of the squared gain of the whole network
      const gains = MODES.map(([, kept]) => {
        const total = kept + NOISE;
        const rate = (x) => forms.flow(total * Math.exp(x), L, kept, NOISE, 1, 1) / (total * Math.exp(x));
        const h = END / (POINTS - 1) / PARTS, out = [];
        let x = Math.log(start);
        for (let n = 0; n < POINTS; n += 1) {
          out.push(Math.exp(x));
          for (let k = 0; k < PARTS; k += 1) {
            const a = rate(x), b = rate(x + (h * a) / 2), c = rate(x + (h * b) / 2), d = rate(x + h * c);
            x += (h * (a + 2 * b + 2 * c + d)) / 6;
          }
        }
        return out;
      });
      const depths = Array.from({ length: L + 1 }, (_, l) => l), places = depths.map((l) => l / L);
      const seen = MODES.map(([, kept], k) => {
        const total = kept + NOISE;
        return depths.map((l) => Math.log10((kept / total) * forms.variance(l, L, total * gains[k][at], kept, NOISE)));
      });
      const low = Math.min(...seen.flat());
      inside.bounds(null, [Math.floor(low - 0.2), 0.8]);
      MODES.forEach(([name, , looks, fill], k) => {
        inside.curve(name, places, seen[k], looks);
        depths.forEach((l) => inside.circle(`${name}-${l}`, l / L, seen[k][l], 3.5, fill));
      });
      const ratio = (n, l) => forms.ratio(l, L, MODES[0][1], MODES[1][1], gains[0][n], gains[1][n]);
      const course = TIMES.map((_, n) => Math.log10(ratio(n, L))), flat = Math.log10(ratio(at, 0));
      time.bounds(null, [Math.min(-0.2, ...course) - 0.1, Math.max(0.6, ...course) + 0.2]);
      time.line("input", 0, flat, END, flat, "s-quiet w2 dot");
      time.curve("last", TIMES, course, "s-ink w3");
      time.circle("now", TIMES[at], course[at], 6, "f-ink");
      const [first, last] = [ratio(at, 0), ratio(at, L)], step = ratio(at, 1) / first;
      inside.say(`From the input to the last of ${L} layers super-class over class goes from ${show(first)} to ${show(last)}.`);
      time.say(`In the last layer the ratio is ${show(10 ** course[0])} at the start, at most ${show(10 ** Math.max(...course))}, and ${show(10 ** course[POINTS - 1])} at time ${END}.`);
      const [regime, tone, lead, rest] =
        Math.abs(step - 1) < 1e-9 ? ["equal gains", "", "The ratio is the same in all layers.", "Both modes have the same gain, so no layer changes their ratio."]
        : step > 1 ? ["grows with depth", "good", "Super-class over class grows with depth.", `At this moment the network has the larger gain along super-classes: each layer multiplies the ratio by ${show(step)}.`]
        : ["falls with depth", "bad", "Super-class over class falls with depth.", `The class mode has the larger gain now, on the way to equal variance in the last layer: each layer multiplies the ratio by ${show(step)}.`];
      return { regime, tone, caption: [lead, rest], numbers: { input: first, last, step } };
    });
  },
};
