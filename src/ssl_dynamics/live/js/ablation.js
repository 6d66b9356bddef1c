// Recorded training on digits: spectrum, spread and rank of the 36 cells of the grid.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "ablation", keys: ["norm", "setting", "moment"] });
    const { fixed, clamp } = kit;
    const last = CELLS.steps.length - 1, end = CELLS.steps[last], even = forms.alone(1);
    const norms = { "mu+sigma": "μ+σ: both", "mu+sigma(det)": "μ+σ(det)", mu: "μ: mean alone",
      "mu(det)+sigma": "μ(det)+σ", "mu(det)+sigma(det)": "μ(det)+σ(det)", "mu(det)": "μ(det)",
      sigma: "σ: deviation alone", "sigma(det)": "σ(det)", none: "none" };
    const settings = { "mlp/ema": "predictor, slow target", "mlp/same": "predictor, no slow target",
      "none/ema": "no predictor, slow target", "none/same": "neither" };
    w.select({ key: "norm", label: "layer in both heads", options: Object.entries(norms) });
    w.select({ key: "setting", label: "predictor and target", options: Object.entries(settings) });
    w.slider({ key: "moment", label: "evaluation, from start to end", min: 0, max: 1, step: 1 / last,
      ticks: () => [{ label: "start", value: 0 }, { label: "end", value: 1 }] });
    w.choices("go to", [
      { label: "mean and deviation", values: { norm: "mu+sigma", setting: "mlp/ema", moment: 1 } },
      { label: "the deviation alone", values: { norm: "sigma", setting: "mlp/ema", moment: 1 } },
      { label: "no predictor", values: { norm: "mu+sigma", setting: "none/same", moment: 1 } },
      { label: "the mean alone", values: { norm: "mu", setting: "mlp/ema", moment: 1 } }]);
    const course = w.plot({ name: "course", title: "Spread of the outputs over training",
      xlabel: "training step", ylabel: "spread", x: [0, end], y: [0, 1.1],
      legend: [{ looks: "s-blue w3", label: "spread" },
        { looks: "s-ink w1 dash", label: "mean as large as the deviation" }] });
    const spectrum = w.plot({ name: "spectrum", title: "Share of the variance, eight largest directions",
      xlabel: "direction, by size", ylabel: "share", x: [0.5, 8.5], y: [0, 1.02],
      legend: [{ looks: "f-paper s-ink w2", marker: "dot", label: "at the start" },
        { looks: "f-red", marker: "dot", label: "now" }] });
    w.number("spread", "spread");
    w.number("rank", `effective rank, of ${CELLS.width}`);
    w.number("first", "share of the first direction");

    return w.start(() => {
      const now = CELLS.cells[`${w.get("norm")}/${w.get("setting")}`];
      const at = clamp(Math.round(w.get("moment") * last), 0, last), step = CELLS.steps[at];
      const [spread, rank] = ["spread", "rank"].map((key) => now[key][at][0]);
      const first = now.shares[at][0];
      course.line("even", 0, even, end, even, "s-ink w1 dash");
      course.curve("spread", CELLS.steps, now.spread.map((v) => v[0]), "s-blue w3");
      course.circle("spread-now", step, spread, 5, "f-blue");
      course.say(`At step ${step} the spread is ${fixed(spread)}.`);
      now.shares[0].forEach((share, k) => spectrum.circle("share-start", k + 1, share, 5, "f-paper s-ink w2"));
      now.shares[at].forEach((share, k) => {
        spectrum.line(`stem-${k}`, k + 1, 0, k + 1, share, "s-red w2");
        spectrum.circle("share", k + 1, share, 5, "f-red");
      });
      spectrum.say(`The largest direction holds ${fixed(first)} of the variance.`);

      const said = `spread ${fixed(spread)}, effective rank ${fixed(rank, 1)}`;
      const [regime, tone, lead, rest] =
        at === 0 ? ["start", "", "Before training.", `${said}. How far the outputs are from a common mean depends on the layer already.`]
        : spread < 0.2 ? ["mean", "bad", "The common part has taken over.", `The outputs are nearly one vector: ${said}. The rank describes what little is left.`]
        : rank < 2.5 ? ["line", "bad", "Nearly on a line.", `The spread alone would call this healthy: ${said}.`]
        : spread < even ? ["between", "", "In between.", `Outputs whose mean is as large as their deviation would have a spread of ${fixed(even)}; here: ${said}.`]
        : ["kept", "good", "Not collapsed.", `Both measures say so: ${said}.`];
      const half = (key, places) => `± ${fixed(now[key][at][1], places)}`;
      const seeds = `Means of ${CELLS.seeds} seeds, with 95 % intervals of ${half("spread", 2)} and ${half("rank", 2)}.`;
      return { regime, tone, caption: [lead, `${rest} ${seeds}`], numbers: { spread, rank, first } };
    });
  },
};
