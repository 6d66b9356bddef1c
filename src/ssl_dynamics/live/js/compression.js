// A Gaussian representation and its noisy copy: the exact information and recorded estimates.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "compression", keys: ["power", "dimension", "samples"] });
    const { show } = kit;
    const { powers, table, seeds } = RANGES;
    const first = powers[0], last = powers[powers.length - 1];
    const FINE = kit.range(first, last, 25);
    const looks = { dv: ["s-red w2 dash", "f-red tint", "best critic, Donsker–Varadhan"],
      nce: ["s-green w2 dashdot", "f-green tint", "best critic, InfoNCE"],
      pool: ["s-blue w2", "", "trained critic, on its own pairs"],
      fresh: ["s-blue w2 dot", "", "trained critic, on fresh pairs"] };

    w.slider({ key: "power", label: "noise *σ*~z~ = 2^k^, with *k*", min: first, max: last, step: 1, digits: 0,
      ticks: () => [{ label: "1/16", value: -4 }, { label: "1", value: 0 }, { label: "4", value: 2 }] });
    w.select({ key: "dimension", label: "coordinates *n*~out~", options: ["1", "4", "16"].map((v) => [v, v]) });
    w.select({ key: "samples", label: "pairs *n*", options: ["16", "64", "256", "1024"].map((v) => [v, v]) });
    const plot = w.plot({ name: "values", title: `Information, exact and estimated (mean of ${seeds} seeds; bands: their range)`,
      xlabel: "noise: *k* of *σ*~z~ = 2^k^", ylabel: "nats", x: [first, last], y: [0, 3], maxWidth: 560,
      legend: [{ looks: "s-ink w3", label: "exact" },
        ...Object.values(looks).map(([line, , label]) => ({ looks: line, label })),
        { looks: "s-quiet w2 dot", label: "ln *n*" }] });
    w.number("exact", "exact information *I*");
    w.number("ceiling", "ceiling ln *n* of InfoNCE");
    w.number("variance", "e^2I^ − 1: pairs that the best critic needs");
    w.number("dv", "best critic, Donsker–Varadhan");
    w.number("nce", "best critic, InfoNCE");
    w.number("pool", "trained critic, own pairs");
    w.number("fresh", "trained critic, fresh pairs");

    return w.start(() => {
      const k = Math.round(w.get("power")), d = Number(w.get("dimension")), n = Number(w.get("samples"));
      const at = powers.indexOf(k), found = table[`${d}/${n}`];
      const exact = (p) => forms.noisy(d, 1, 2 ** p);
      const I = exact(k), ceiling = Math.log(n), most = exact(first);
      const variance = forms.variance(d, forms.correlation(1, 2 ** k));
      const top = 1.15 * Math.max(most, ceiling, 3);
      plot.bounds(null, [-0.15 * top, top]);
      plot.line("zero", first, 0, last, 0, "s-line w1");
      plot.line("ceiling", first, ceiling, last, ceiling, "s-quiet w2 dot");
      plot.line("here", k, -0.15 * top, k, top, "s-line w2");
      const inside = (v) => Math.min(Math.max(v, -3 * top), 3 * top);
      for (const name of Object.keys(looks)) {
        const [line, fill] = looks[name];
        if (fill) plot.area(`range-${name}`, powers, found[name].map((v) => inside(v[0])), found[name].map((v) => inside(v[2])), fill);
        plot.curve(name, powers, found[name].map((v) => v[1]), line);
      }
      plot.curve("exact", FINE, FINE.map(exact), "s-ink w3");
      plot.circle("now", k, I, 5, "f-ink");
      plot.say(`At noise 2 to the ${k} the exact information is ${show(I)} nats; the best critic reports ${show(found.dv[at][1])} by Donsker–Varadhan and ${show(found.nce[at][1])} by InfoNCE, the trained one ${show(found.pool[at][1])} on its own pairs and ${show(found.fresh[at][1])} on fresh ones.`);
      const [over, fresh] = [found.pool[at][1] - I, found.fresh[at][1] - I];
      const rough = Object.keys(looks).some((name) => Math.abs(found[name][at][1] - I) > 0.5);
      const needs = `The best critic needs about ${show(variance, 2)} pairs.`;
      const [regime, tone, lead, rest] =
        I > ceiling ? ["above the ceiling", "bad", "InfoNCE cannot reach it.", `The information is above ln *n* = ${show(ceiling)}, where InfoNCE ends. ${needs}`]
        : variance > n || (rough && Math.abs(over) <= 0.5 && Math.abs(fresh) <= 0.5) ? ["few pairs decide", "bad", "The average hangs on a few pairs.", `${needs} With ${n} its Donsker–Varadhan estimate ranges from ${show(found.dv[at][0])} to ${show(found.dv[at][2])}.`]
        : over > 0.5 || (over >= 0 && fresh < -0.5) ? ["learned by heart", "bad", "The trained critic knows its pairs by heart.", `On them it reports ${show(found.pool[at][1])}, on fresh ones ${show(found.fresh[at][1])}; the truth is ${show(I)}.`]
        : rough ? ["not learned", "bad", "The trained critic falls short.", `It reports ${show(found.pool[at][1])}; the best critic would do on these pairs. More steps, or a better network, would help.`]
        : ["measurable", "good", "Here the estimates can be believed.", `The truth is ${show(I)}, and ${n} pairs are enough for all of them, to half a nat on average.`];
      return { regime, tone, caption: [lead, rest], numbers: { exact: I, ceiling, variance,
        dv: found.dv[at][1], nce: found.nce[at][1], pool: found.pool[at][1], fresh: found.fresh[at][1] } };
    });
  },
};
