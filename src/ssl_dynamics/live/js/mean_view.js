// Recorded training on digits: spread, rank, neighbours and spectrum of 28 conditions.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "mean_view", keys: ["objective", "norm", "moment"] });
    const { fixed, clamp } = kit;
    const last = COURSES.steps.length - 1, end = COURSES.steps[last], line = forms.line(0.5);
    const objectives = {
      mean: "F(Tx) against F(x̄)", "mean+stop": "F(x̄), stop-gradient", pair: "pair of views",
      "pair+stop": "pair, stop-gradient", "pair+predictor": "pair, predictor",
      "pair+predictor+stop": "SimSiam: pair, pred. + stop", "mean+predictor+stop": "F(x̄), predictor + stop" };
    const norms = { none: "none", l2: "l2: length one", hidden: "hidden: + batch norm inside",
      output: "output: + batch norm at end" };
    w.select({ key: "objective", label: "objective", options: Object.entries(objectives) });
    w.select({ key: "norm", label: "normalisation", options: Object.entries(norms) });
    w.slider({ key: "moment", label: "share of training done", min: 0, max: 1, step: 1 / last,
      ticks: () => [{ label: "start", value: 0 }, { label: "end", value: 1 }] });
    w.choices("go to", [
      { label: "the question", values: { objective: "mean", norm: "l2", moment: 1 } },
      { label: "the trap", values: { objective: "mean", norm: "output", moment: 1 } },
      { label: "SimSiam", values: { objective: "pair+predictor+stop", norm: "output", moment: 1 } },
      { label: "the rescue", values: { objective: "mean+predictor+stop", norm: "output", moment: 1 } }]);
    const course = w.plot({ name: "course", title: "What the measures say over training",
      xlabel: "training step", ylabel: "spread; accuracy", x: [0, end], y: [0, 1.1],
      legend: [{ looks: "s-blue w3", label: "spread" }, { looks: "s-green w3 dash", label: "5-NN accuracy" },
        { looks: "s-green w1 dot", label: "5-NN of the random encoder" },
        { looks: "s-ink w1 dash", label: "largest spread of a single line" }] });
    const spectrum = w.plot({ name: "spectrum", title: "Share of the variance, eight largest directions",
      xlabel: "direction, by size", ylabel: "share", x: [0.5, 8.5], y: [0, 1.02],
      legend: [{ looks: "f-paper s-ink w2", marker: "dot", label: "at the start" },
        { looks: "f-red", marker: "dot", label: "now" }] });
    w.number("spread", "spread");
    w.number("rank", "effective rank, of 32");
    w.number("knn", "5-NN accuracy");
    w.number("random", "5-NN of the random encoder");

    return w.start(() => {
      const now = COURSES.conditions[`${w.get("objective")}/${w.get("norm")}`];
      const at = clamp(Math.round(w.get("moment") * last), 0, last);
      const means = (key) => now[key].map((v) => v[0]);
      const [spread, rank, knn] = ["spread", "rank", "knn"].map((key) => now[key][at][0]);
      const random = now.knn[0][0];
      course.line("line", 0, line, end, line, "s-ink w1 dash");
      course.line("random", 0, random, end, random, "s-green w1 dot");
      course.curve("spread", COURSES.steps, means("spread"), "s-blue w3");
      course.curve("knn", COURSES.steps, means("knn"), "s-green w3 dash");
      course.circle("spread-now", COURSES.steps[at], spread, 5, "f-blue");
      course.circle("knn-now", COURSES.steps[at], knn, 5, "f-green");
      course.say(`At step ${COURSES.steps[at]}: spread ${fixed(spread)}, accuracy ${fixed(knn)}; before training ${fixed(random)}.`);
      now.shares[0].forEach((share, k) => spectrum.circle("share-start", k + 1, share, 5, "f-paper s-ink w2"));
      now.shares[at].forEach((share, k) => {
        spectrum.line(`stem-${k}`, k + 1, 0, k + 1, share, "s-red w2");
        spectrum.circle("share", k + 1, share, 5, "f-red");
      });
      spectrum.say(`The largest direction holds ${fixed(now.shares[at][0])} of the variance, the second ${fixed(now.shares[at][1])}.`);

      const loss = random - knn, neighbours =
        Math.abs(loss) < 0.05 ? "The neighbours are about as good as those of the random encoder"
        : loss > 0 ? `The neighbours are worse than those of the random encoder by ${fixed(loss)}`
        : `The neighbours are better than those of the random encoder by ${fixed(-loss)}`;
      const [regime, tone, lead, rest] =
        at === 0 ? ["start", "", "Before training.", `A random encoder: spread ${fixed(spread)}, effective rank ${fixed(rank, 1)}. Its 5-NN accuracy, ${fixed(knn)}, is what training has to beat.`]
        : spread < 0.07 ? ["point", "bad", "Collapsed, almost to one point.", `The spread is ${fixed(spread)}. ${neighbours}. Cosine neighbours can still read differences that small.`]
        : rank < 3.5 ? ["flat", "bad", "Collapsed to a few directions.", `The spread says ${fixed(spread)} and sees ${spread > 0.9 ? "nothing" : "little"}; the effective rank is ${fixed(rank, 1)}. ${neighbours}.`]
        : spread < 0.2 ? ["narrow", "", "Narrow, not flat.", `The spread has fallen to ${fixed(spread)}, but the effective rank is still ${fixed(rank, 1)}. ${neighbours}.`]
        : ["kept", "good", "Not collapsed.", `Spread ${fixed(spread)}, effective rank ${fixed(rank, 1)}. ${neighbours}.`];
      const half = (key, places) => `± ${fixed(now[key][at][1], places)}`;
      const seeds = `Means of ${COURSES.seeds} seeds, with 95 % intervals of ${half("spread", 3)}, ${half("rank", 2)} and ${half("knn", 3)}.`;
      return { regime, tone, caption: [lead, `${rest} ${seeds}`], numbers: { spread, rank, knn, random } };
    });
  },
};
