// Two noisy views of each image, one weight, one loss: decay in closed form and by descent.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "teaser", keys: ["sigma_aug"] });
    const { show, range } = kit;
    const STEPS = 60, RATE = 0.05, PAIRS = 16, END = STEPS * RATE, SEED = 20100578;

    w.slider({ key: "sigma_aug", label: "augmentation strength *σ*~aug~", min: 0, max: 1.5, step: 0.05,
      ticks: () => [{ label: "none", value: 0 }, { label: "as strong as the image", value: 1 }] });
    const plot = w.plot({ name: "decay", title: "The weight while two views learn to agree",
      xlabel: "training time *t*", ylabel: "weight *w*", x: [0, END], y: [0, 1.08], maxWidth: 0,
      ratio: 0.36, legend: [{ looks: "s-ink w2 dash", label: "closed form" },
        { marker: "dot", looks: "f-blue", label: "descent on drawn pairs of views" }] });
    w.number("closed", "left at the end, closed form");
    w.number("run", "left at the end, descent");

    // the same noise for every strength, so that moving the slider changes nothing else
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
      const sigma = w.get("sigma_aug");
      const ts = range(0, END, STEPS + 1), run = [1];
      for (const pairs of noise) {
        const v = run.at(-1);
        run.push(v - RATE * kit.mean(pairs.map(([x, a, b]) => forms.gradient(v, x + sigma * a, x + sigma * b))));
      }
      const exact = ts.map((t) => forms.weight(t, 1, sigma));
      plot.curve("closed", ts, exact, "s-ink w2 dash");
      run.forEach((v, k) => plot.circle("descent", ts[k], v, 3, "f-blue", true));
      plot.say(`The weight falls from 1 to ${show(exact.at(-1))}; descent ends at ${show(run.at(-1))}.`);
      const half = Math.log(2) / -Math.log(forms.weight(1, 1, sigma));
      const [regime, tone, lead, rest] = sigma === 0
        ? ["still", "", "Nothing happens.", "Equal views agree already: there is no gradient, and nothing is learned."]
        : ["collapses", "bad", "Collapse.", `The cheapest way to agree is to say nothing: the weight halves every ${show(half)} units of time. Stronger augmentation only makes it faster.`];
      return { regime, tone, caption: [lead, rest], numbers: { closed: exact.at(-1), run: run.at(-1) } };
    });
  },
};
