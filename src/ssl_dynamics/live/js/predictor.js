// Predictor scale against the terms of the update; the sign of their sum decides.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "predictor", keys: ["p", "lambda_I", "lambda_V"] });
    const { show, range } = kit;
    const now = () => ({ p: w.get("p"), V: w.get("lambda_V"), I: w.get("lambda_I") });
    const edge = () => forms.threshold(now().V, now().I);
    const best = () => forms.best(now().V, now().I);

    w.slider({ key: "p", label: "predictor scale *p*", min: 0, max: 1.25, step: 0.01,
      ticks: () => [{ label: "fastest", value: best() }, { label: "threshold", value: edge() }] });
    w.slider({ key: "lambda_I", label: "augmentation variance *λ*~I~", min: 0, max: 2, step: 0.05,
      ticks: () => [{ label: "none", value: 0 }, { label: "*λ*~I~ = *λ*~V~", value: now().V }] });
    const plot = w.plot({ name: "terms", title: "The terms of the update, and their sum",
      xlabel: "predictor scale *p*", ylabel: "rate per unit of weight", x: [0, 1.25],
      y: [-1.5, 1.25], maxWidth: 0, ratio: 0.5, legend: [
        { looks: "s-green w2 dash", label: "linear term + *pλ*~V~" },
        { looks: "s-red w2 dot", label: "quadratic terms − *p*²(*λ*~V~ + *λ*~I~)" },
        { looks: "s-ink w3", label: "sum = growth rate" }] });
    w.number("growth", "growth rate");
    w.number("positive", "linear term");
    w.number("pull", "quadratic terms");
    w.number("threshold", "threshold for *p*");

    return w.start(() => {
      const { p, V, I } = now();
      const pull = (s) => -(forms.negative(s, V) + forms.invariance(s, I));
      const push = forms.positive(p, V), rate = forms.growth(p, V, I);
      const t = edge(), b = best();
      const ps = range(0, 1.25, 126);
      const rates = ps.map((s) => forms.growth(s, V, I));
      plot.area("grows", ps, ps.map(() => 0), rates.map((r) => Math.max(r, 0)), "f-green tint");
      plot.area("decays", ps, rates.map((r) => Math.min(r, 0)), ps.map(() => 0), "f-red tint");
      plot.line("zero", 0, 0, 1.25, 0, "s-quiet w1");
      plot.curve("positive", ps, ps.map((s) => forms.positive(s, V)), "s-green w2 dash");
      plot.curve("pull", ps, ps.map(pull), "s-red w2 dot");
      plot.curve("growth", ps, rates, "s-ink w3");
      plot.circle("edge", t, 0, 4, "f-paper s-ink w2");
      plot.text(t, 0, `threshold ${show(t)}`, { dx: 7, dy: -9 });
      plot.line("now", p, 0, p, push, "s-green w3");
      plot.line("now-pull", p, 0, p, pull(p), "s-red w3");
      plot.circle("push-now", p, push, 4, "f-green", true);
      plot.circle("pull-now", p, pull(p), 4, "f-red", true);
      const { y: [floor] } = plot.limits();
      if (rate < floor) plot.text(p, floor, `sum ${show(rate)} ↓`, { anchor: "end", dx: -8, dy: -9 });
      plot.circle("growth-now", p, rate, 7, rate > 1e-9 ? "f-ink" : "f-paper s-ink w2", true);

      const at = `At *p* = ${show(p)}`;
      const [regime, tone, lead, rest] =
        p === 0 ? ["still", "", "Nothing moves.", "Without a predictor output there is no gradient: both terms are zero."]
        : Math.abs(p - t) < 1e-9 ? ["critical", "", "Critical: the terms cancel.", `${at} the linear term and the quadratic ones are both ${show(push)} in size. A smaller predictor makes the mode grow, a larger one makes it decay.`]
        : p > t ? ["decays", "bad", "The mode decays.", `${at} the quadratic terms, ${show(pull(p))}, outweigh the linear one, ${show(push)}. Growth needs *p* below ${show(t)}.`]
        : Math.abs(p - b) < 1e-9 ? ["fastest", "good", "The mode grows as fast as it can.", `*p* = ${show(b)} is half the threshold: the linear term ${show(push)} is twice the quadratic ones.`]
        : ["grows", "good", "The mode grows.", `${at} the linear term, ${show(push)}, outweighs the quadratic ones, ${show(pull(p))}. A small predictor favours the linear term; above ${show(t)} the mode would decay.`];
      const wide = I === 0 ? " Views that do not differ leave the threshold at 1." : "";
      plot.say(`Growth rate ${show(rate)} at p = ${show(p)}; the threshold is ${show(t)}.`);
      return { regime, tone, caption: [lead, rest + wide],
        numbers: { growth: rate, positive: push, pull: pull(p), threshold: t } };
    });
  },
};
