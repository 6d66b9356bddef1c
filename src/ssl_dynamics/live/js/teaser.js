// One weight, two noisy views, one predictor number: closed form beside descent on drawn views.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "teaser", keys: ["p", "sigma_aug"] });
    const { show, range } = kit;
    const STEPS = 60, RATE = 0.05, PAIRS = 32, END = STEPS * RATE, SEED = 20100578;
    const edge = () => forms.threshold(w.get("sigma_aug"));

    w.slider({ key: "p", label: "predictor *p*", min: 0, max: 1.25, step: 0.01,
      ticks: () => [{ label: "fastest", value: edge() / 2 }, { label: "threshold", value: edge() },
        { label: "no predictor", value: 1 }] });
    w.slider({ key: "sigma_aug", label: "augmentation strength *σ*~aug~", min: 0, max: 1.5, step: 0.05,
      ticks: () => [{ label: "none", value: 0 }, { label: "as strong as the image", value: 1 }] });
    const plot = w.plot({ name: "weight", title: "The weight while two views learn to agree",
      xlabel: "training time *t*", ylabel: "weight *w*", x: [0, END], y: [0, 2.25], maxWidth: 0,
      ratio: 0.4, legend: [{ looks: "s-ink w2 dash", label: "closed form" },
        { marker: "dot", looks: "f-blue", label: "descent on drawn pairs of views" },
        { looks: "s-red w2 dot", label: "without predictor, *p* = 1" }] });
    w.number("closed", "weight at the end, closed form");
    w.number("run", "weight at the end, descent");
    w.number("threshold", "threshold for *p*");

    // the same noise for every setting, so that moving a slider changes nothing else
    const noise = (() => {
      let state = SEED >>> 0;
      const uniform = () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
      };
      const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      return Array.from({ length: STEPS }, () => Array.from({ length: PAIRS }, () => [normal(), normal(), normal()]));
    })();

    return w.start(() => {
      const p = w.get("p"), sigma = w.get("sigma_aug"), t = edge();
      const ts = range(0, END, STEPS + 1), run = [1];
      for (const pairs of noise) {
        const v = run.at(-1);
        run.push(v - RATE * kit.mean(pairs.map(([x, a, b]) => forms.gradient(v, p, x + sigma * a, x + sigma * b))));
      }
      const exact = ts.map((s) => forms.weight(s, 1, p, sigma));
      plot.line("start", 0, 1, END, 1, "s-line w1");
      plot.curve("bare", ts, ts.map((s) => forms.weight(s, 1, 1, sigma)), "s-red w2 dot");
      run.forEach((v, k) => plot.circle("descent", ts[k], v, 3, "f-blue", true));
      plot.curve("closed", ts, exact, "s-ink w2 dash");
      plot.say(`The weight goes from 1 to ${show(exact.at(-1))}; descent ends at ${show(run.at(-1))}.`);
      const still = p === 0 || Math.abs(p - t) < 1e-9;
      const [regime, tone, lead, rest] =
        p === 0 ? ["still", "", "Nothing moves.", "A predictor that outputs nothing sends no gradient."]
        : still ? ["critical", "", "On the edge.", `At *p* = ${show(p)} the term that pushes and the terms that pull cancel on average.`]
        : p > t ? ["collapses", "bad", "Collapse.", `The predictor is larger than ${show(t)}: the cheapest way to agree is to say nothing, and the weight halves every ${show(-Math.log(2) / Math.log(forms.weight(1, 1, p, sigma)))} units of time.`]
        : ["grows", "good", "The weight grows, without any negative pair.", `The predictor is below ${show(t)}: the push, linear in *p*, beats the pull, quadratic in *p*.${sigma > 0 ? " Without a predictor the same weight would collapse." : ""}`];
      return { regime, tone, caption: [lead, rest],
        numbers: { closed: exact.at(-1), run: run.at(-1), threshold: t } };
    });
  },
};
