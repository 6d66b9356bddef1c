// Two modes under targets that are held, averaged or followed, and a predictor scale.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "alternating", keys: ["target", "memory", "scale"] });
    const { show } = kit;
    const RATE = 0.1, STEPS = 200, MODES = [["A", 1, 0.25, "blue", ""], ["B", 1, 1, "red", " dash"]];
    const best = MODES.map(([, between, within]) => between / (between + within));
    w.select({ key: "target", label: "target", options: [
      ["held", "held: mean or one view"], ["average", "moving average"],
      ["followed", "follows the gradient"]] });
    w.slider({ key: "memory", label: "steps held *K*~η~, or averaged", min: 1, max: 50,
      step: 1, digits: 0, ticks: () => [{ label: "renewed every step", value: 1 },
        { label: "10", value: 10 }, { label: "50", value: 50 }] });
    w.slider({ key: "scale", label: "predictor scale *p*", min: 0.05, max: 1.25, step: 0.01,
      ticks: () => [{ label: "best for B", value: best[1] }, { label: "best for A", value: best[0] },
        { label: "no predictor", value: 1 }] });
    const plot = w.plot({ name: "modes", title: "Size of two modes", xlabel: "training step",
      ylabel: "size, 1 at the start", x: [0, STEPS], y: [-4, 1], log: true, maxWidth: 560,
      legend: [{ looks: "s-blue w3", label: "A: views differ little, *λ*~I~ = 0.25" },
        { looks: "s-red w3 dash", label: "B: views differ much, *λ*~I~ = 1" }] });
    w.number("A", "A after 200 steps");
    w.number("B", "B after 200 steps");
    w.number("rate_A", "A, % per step");
    w.number("rate_B", "B, % per step");

    const course = (between, within) => {
      const target = w.get("target"), p = w.get("scale"), memory = Math.round(w.get("memory"));
      const sizes = [1];
      if (target === "held") {
        for (let n = 1; n <= STEPS; n += 1) {
          const whole = Math.floor(n / memory), rest = n - whole * memory;
          sizes.push(forms.round(RATE, p, between, within, memory) ** whole
            * forms.round(RATE, p, between, within, rest));
        }
      } else if (target === "average") {
        const m = forms.average(RATE, p * p * (between + within), p * between, 1 - 1 / memory);
        let a = 1, b = 1;
        for (let n = 1; n <= STEPS; n += 1) {
          [a, b] = [m[0][0] * a + m[0][1] * b, m[1][0] * a + m[1][1] * b];
          sizes.push(a);
        }
      } else {
        const factor = forms.followed(RATE, p, between, within);
        for (let n = 1; n <= STEPS; n += 1) sizes.push(factor ** n);
      }
      return sizes;
    };

    const perStep = (end) => 100 * (Math.abs(end) ** (1 / STEPS) - 1);

    return w.start(() => {
      const target = w.get("target"), p = w.get("scale"), memory = Math.round(w.get("memory"));
      const courses = MODES.map(([, between, within]) => course(between, within));
      const ends = courses.map((c) => c[STEPS]);
      const logs = courses.map((c) => c.map((v) => Math.log10(Math.max(Math.abs(v), 1e-12))));
      const low = Math.min(...logs.flat()), high = Math.max(...logs.flat());
      plot.bounds(null, [Math.max(Math.min(Math.floor(low), -1), -12), Math.max(Math.ceil(high + 0.01), 1)]);
      plot.line("start", 0, 0, STEPS, 0, "s-quiet w1");
      const steps = courses[0].map((_, n) => n);
      MODES.forEach(([name, , , colour, dash], k) =>
        plot.curve(name, steps, logs[k], `s-${colour} w3${dash}`));

      const fate = ends.map((v) => (Math.abs(v - 1) < 1e-6 ? "stays" : v > 1 ? "grows" : "shrinks"));
      plot.say(`After 200 steps mode A has the size ${show(ends[0])}, mode B ${show(ends[1])}.`);
      const [regime, tone, lead] = fate[0] === fate[1]
        ? { shrinks: ["collapse", "bad", "Both modes shrink."], grows: ["growth", "good", "Both modes grow."],
          stays: ["rest", "good", "Both modes stay."] }[fate[0]]
        : [`${fate.includes("stays") ? "critical: " : ""}A ${fate[0]}, B ${fate[1]}`, "good", `Mode A ${fate[0]}, mode B ${fate[1]}.`];
      const how = target === "followed"
        ? "The gradient passes through the target: nothing is held or averaged, and no predictor scale saves a mode that the views change."
        : p >= 1 ? (p === 1 ? (memory === 1
            ? "Without predictor every step is descent on the variance over views."
            : "Without predictor a target that is renewed less often only slows the collapse.")
          : "Above its best scale a predictor shrinks the mode.")
        : fate.includes("stays") ? "At its best predictor scale a mode neither grows nor shrinks, however old the target: the best predictor explains survival, not growth."
        : "A mode grows below its best predictor scale and shrinks above it: 0.8 for A, 0.5 for B. The age of the target sets the pace.";
      return { regime, tone, caption: [lead, how], numbers: { A: ends[0], B: ends[1],
        rate_A: perStep(ends[0]), rate_B: perStep(ends[1]) } };
    });
  },
};
