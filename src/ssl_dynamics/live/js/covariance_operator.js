// Extra weight of positive pairs against the growth rate of one direction.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "covariance_operator", keys: ["beta_plus", "within"] });
    const { show, range } = kit;
    const KAPPA = 2, V = 1;
    const edge = () => forms.edge(V, w.get("within"));

    w.slider({ key: "beta_plus", label: "extra weight *β*~+~ of positive pairs", min: -1, max: 3, step: 0.02,
      ticks: () => [{ label: "no positives", value: -1 }, { label: "simple loss", value: 0 },
        { label: "other of 3 views", value: 0.5 }, { label: "other of 2 views", value: 1 },
        { label: "edge", value: edge() }] });
    w.slider({ key: "within", label: "variance over views *λ*~I~", min: 0.4, max: 2, step: 0.02,
      ticks: () => [{ label: "as between images", value: V }] });
    const plot = w.plot({ name: "rate", title: "Growth of one direction, variance between images 1",
      xlabel: "extra weight *β*~+~", ylabel: "growth rate", x: [-1, 3], y: [-10.5, 6.5], maxWidth: 0,
      ratio: 0.45, legend: [{ looks: "s-ink w3", label: "growth rate" },
        { looks: "s-green w2 dash", label: "between images 2*λ*~V~" },
        { looks: "s-red w2 dot", label: "over views − 2*β*~+~*λ*~I~" }] });
    w.number("rate", "growth rate");
    w.number("edge", "edge for *β*~+~");

    return w.start(() => {
      const b = w.get("beta_plus"), I = w.get("within"), at = edge();
      const bs = range(-1, 3, 101), rate = forms.rate(KAPPA, b, V, I), push = forms.rate(KAPPA, 0, V, I);
      plot.line("zero", -1, 0, 3, 0, "s-quiet w1");
      plot.curve("between", bs, bs.map(() => push), "s-green w2 dash");
      plot.curve("within", bs, bs.map((s) => forms.rate(KAPPA, s, V, I) - push), "s-red w2 dot");
      plot.curve("sum", bs, bs.map((s) => forms.rate(KAPPA, s, V, I)), "s-ink w3");
      plot.circle("edge", at, 0, 4, "f-paper s-ink w2");
      plot.circle("now", b, rate, 7, Math.abs(rate) > 1e-9 ? "f-ink" : "f-paper s-ink w2", true);
      const [regime, tone, lead, rest] =
        Math.abs(b - at) < 1e-9 ? ["critical", "", "On the edge.", `At *β*~+~ = ${show(b)} what images spread apart and what views are pulled together cancel.`]
        : b > at ? ["shrinks", "bad", "The direction shrinks.", `Above ${show(at)} the pull between views outweighs the push between images: the operator is no longer positive.`]
        : Math.abs(b) < 1e-9 ? ["simple", "good", "The simple contrastive loss.", "The variance over views has cancelled: the rate is that of the images alone, and it does not depend on *λ*~I~."]
        : b > 0 ? ["selects", "good", "The direction grows, more slowly.", `Directions whose views vary more than 1/*β*~+~ = ${show(1 / b)} times as much as their images would shrink.`]
        : ["spreads", "good", "Views are pushed apart, too.", "With a negative extra weight the variance over views adds to the growth, and no direction can shrink."];
      plot.say(`Growth rate ${show(rate)} at extra weight ${show(b)}; the edge is ${show(at)}.`);
      return { regime, tone, caption: [lead, rest], numbers: { rate, edge: at } };
    });
  },
};
