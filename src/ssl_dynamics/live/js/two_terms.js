// One output under VICReg: invariance and hinge over time from two starts, and the loss by deviation.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "two_terms", keys: ["mu_s", "mu_v", "q_n"] });
    const { show, range } = kit;
    const FLOOR = 0.01, SMALL = 0.01, LARGE = 1.5, END = 8, POINTS = 161, PARTS = 20;
    const TIMES = range(0, END, POINTS), KINK = Math.sqrt(1 - FLOOR), ROOT = Math.sqrt(FLOOR);

    const edge = (mu_s, q) => forms.critical(q, mu_s, FLOOR);
    w.slider({ key: "mu_s", label: "weight of the invariance *μ*~s~", min: 0.1, max: 3, step: 0.05,
      ticks: () => [{ label: "collapse critical", value: w.get("mu_v") / edge(1, w.get("q_n")) },
        { label: "hinge just reached", value: (w.get("mu_v") * ROOT) / edge(1, w.get("q_n")) }] });
    w.slider({ key: "mu_v", label: "weight of the variance *μ*~v~", min: 0, max: 3, step: 0.05,
      ticks: () => [{ label: "collapse critical", value: edge(w.get("mu_s"), w.get("q_n")) },
        { label: "hinge just reached", value: edge(w.get("mu_s"), w.get("q_n")) / ROOT }] });
    w.slider({ key: "q_n", label: "share of noise *q*~n~", min: 0.05, max: 1, step: 0.01,
      ticks: () => [{ label: "collapse critical", value: forms.share(w.get("mu_s"), w.get("mu_v"), FLOOR) },
        { label: "hinge just reached", value: ROOT * forms.share(w.get("mu_s"), w.get("mu_v"), FLOOR) }] });
    const course = w.plot({ name: "course", title: "The two terms with their weights, over time", maxWidth: 400,
      xlabel: "time *t*", ylabel: "term", x: [0, END], y: [0, 1],
      legend: [{ looks: "s-blue w3", label: "invariance, from a small output" }, { looks: "s-red w3", label: "hinge, from a small output" },
        { looks: "s-blue w2 dash", label: "invariance, from a large one" }, { looks: "s-red w2 dash", label: "hinge, from a large one" }] });
    const valley = w.plot({ name: "valley", title: "Their sum by deviation", maxWidth: 400,
      xlabel: "deviation *m*~o~", ylabel: "loss", x: [0, 1.6], y: [0, 1],
      legend: [{ marker: "dot", looks: "f-paper s-ink w2", label: "collapse" }, { marker: "dot", looks: "f-green", label: "rest" }] });
    w.number("rate", "rate at collapse");
    w.number("rest", "deviation at rest");
    w.number("edge", "critical weight *μ*~v~");
    w.number("share", "critical share *q*~n~");

    return w.start(() => {
      const mu_s = w.get("mu_s"), mu_v = w.get("mu_v"), q = w.get("q_n");
      const rate = forms.rate(1, q, mu_s, mu_v, FLOOR, 1), critical = edge(mu_s, q);
      const strength = forms.rest(1 - q, q, mu_s, mu_v, FLOOR);
      const flow = (m) => forms.flow(m, 1, q, mu_s, mu_v, FLOOR, 1);
      const reached = critical / ROOT <= mu_v, rest = Math.sqrt(Math.max(0, strength));
      const invariance = (m) => 2 * mu_s * q * m * m;
      const hinge = (m) => mu_v * Math.max(0, 1 - Math.sqrt(m * m + FLOOR));

      // Runge and Kutta below the hinge; there is no push beyond it
      function inside(m, time) {
        const h = time / PARTS;
        for (let n = 0; n < PARTS; n += 1) {
          const a = flow(m), b = flow(m + (h * a) / 2), c = flow(m + (h * b) / 2), d = flow(m + h * c);
          m += (h * (a + 2 * b + 2 * c + d)) / 6;
          if (reached && m > KINK) m = KINK;
        }
        return m;
      }
      function followed(start) {
        const down = Math.max(0, Math.log(start / KINK) / (4 * mu_s * q)), out = [];
        let at = down, m = Math.min(start, KINK);
        for (const t of TIMES) {
          if (t < down) {
            out.push(start * Math.exp(-4 * mu_s * q * t));
            continue;
          }
          if (t > at) m = reached && m >= KINK ? KINK : inside(m, t - at);
          at = t;
          out.push(m);
        }
        return out;
      }

      const small = followed(SMALL), large = followed(LARGE);
      course.bounds(null, [0, 1.08 * Math.max(invariance(LARGE), hinge(0), 0.2)]);
      course.curve("invariance-large", TIMES, large.map(invariance), "s-blue w2 dash");
      course.curve("hinge-large", TIMES, large.map(hinge), "s-red w2 dash");
      course.curve("invariance-small", TIMES, small.map(invariance), "s-blue w3");
      course.curve("hinge-small", TIMES, small.map(hinge), "s-red w3");
      const ms = range(0, 1.6, 161), loss = (m) => invariance(m) + hinge(m);
      valley.bounds(null, [0, 1.08 * Math.max(loss(1.6), loss(0))]);
      valley.curve("loss", ms, ms.map(loss), "s-ink w3");
      const still = Math.abs(rate) < 1e-9, up = !still && rate > 0;
      valley.circle("rest", up ? rest : 0, loss(up ? rest : 0), 7, "f-green");
      valley.circle("collapse", 0, loss(0), up ? 6 : 3.5, "f-paper s-ink w2");
      const falls = (v) => (v[POINTS - 1] < v[0] ? "falls" : "rises");
      course.say(`From a small output the invariance term ${falls(small.map(invariance))} to ${show(invariance(small[POINTS - 1]))}; from a large one it ${falls(large.map(invariance))} to ${show(invariance(large[POINTS - 1]))}.`);
      valley.say(`The rate at collapse is ${show(rate)}; the output rests at deviation ${show(up ? rest : 0)}.`);

      const balanced = up && Math.abs(critical / ROOT - mu_v) < 1e-9;
      const [regime, tone, lead, more] =
        still ? ["critical", "", "Collapse is critical.", "A small output neither grows nor shrinks at first; the root bends down, so in the end it shrinks, slower than any exponential."]
        : !up ? ["collapses", "bad", "Collapse is stable.", `A small output shrinks at the rate ${show(-rate)}. The variance term weighs less than ${show(critical)}, so the regulariser cannot hold this output up; from the large start it is the *invariance* term that falls.`]
        : balanced ? ["just reached", "good", "The output just reaches the hinge.", "Both pushes are equal where the hinge ends."]
        : reached ? ["at the hinge", "good", "The output grows to the hinge and stays there.", `From below the hinge term falls and the invariance term *rises*; from above the invariance term falls alone.`]
        : ["below the hinge", "", "The output rests below the hinge.", `At a deviation of ${show(rest)} the two pushes balance: twice the invariance term with its weight is *μ*~v~ times variance over √(variance + *ϵ*~v~). From below the invariance term rises, from above the hinge term does.`];
      return { regime, tone, caption: [lead, more], numbers: { rate: still ? 0 : rate, rest: up ? rest : 0, edge: critical,
        share: forms.share(mu_s, mu_v, FLOOR) } };
    });
  },
};
