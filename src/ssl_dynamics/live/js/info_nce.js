// InfoNCE on two images of two views: the operator, its covariance part, the residual.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "info_nce", keys: ["temperature", "w", "noise"] });
    const { show, range } = kit;
    const V = 1;

    // the sign depends on q = w² / temperature alone and changes once; without noise never
    function balance() {
      const I = w.get("noise") ** 2;
      if (I === 0) return NaN;
      let low = Math.log(1e-3), high = Math.log(50);
      for (let n = 0; n < 80; n += 1) {
        const middle = (low + high) / 2;
        if (forms.operator(V, I, Math.exp(middle / 2), 1) > 0) low = middle;
        else high = middle;
      }
      return Math.exp((low + high) / 2);
    }

    w.slider({ key: "temperature", label: "temperature *τ*~c~", min: 0.1, max: 3, step: 0.05,
      ticks: () => [{ label: "critical", value: w.get("w") ** 2 / balance() }] });
    w.slider({ key: "w", label: "weight *w*", min: 0, max: 2, step: 0.02,
      ticks: () => [{ label: "balance", value: Math.sqrt(balance() * w.get("temperature")) }] });
    w.slider({ key: "noise", label: "deviation of the views √*λ*~I~", min: 0, max: 1.5, step: 0.02,
      ticks: () => [{ label: "none", value: 0 }, { label: "other image as near", value: 0.5 }] });
    const rates = w.plot({ name: "rates", title: "Growth rate of the weight, times *τ*~c~",
      xlabel: "weight *w*", ylabel: "rate times *τ*~c~", x: [0, 2], y: [-1, 1.1], maxWidth: 400,
      legend: [{ looks: "s-ink w3", label: "the operator" },
        { looks: "s-green w2 dash", label: "its covariance part" },
        { looks: "s-red w2 dot", label: "the residual" }] });
    const triples = w.plot({ name: "triples", title: "Weight of each triple, times *τ*~c~",
      xlabel: "gap *y* = *r*~−~ − *r*~+~", ylabel: "weight times *τ*~c~", x: [-3, 3], y: [-0.03, 1.03],
      maxWidth: 400, legend: [{ marker: "dot", looks: "f-red", label: "out of order: shrinks *w*" },
        { marker: "dot", looks: "f-blue", label: "in order: stretches *w*" }] });
    w.number("rate", "operator");
    w.number("psd", "covariance part");
    w.number("residual", "residual");
    w.number("edge", "critical temperature");

    return w.start(() => {
      const T = w.get("temperature"), x = w.get("w"), e = w.get("noise"), I = e * e;
      const rate = forms.operator(V, I, x, T), psd = forms.psd(V, x, T), q = balance();
      const ws = range(0, 2, 101);
      const full = ws.map((s) => T * forms.operator(V, I, s, T));
      const part = ws.map((s) => T * forms.psd(V, s, T)), rest = full.map((f, i) => f - part[i]);
      const low = Math.min(-0.2, ...full, ...rest);
      rates.bounds(null, [1.08 * low, Math.max(1.1, -0.1 * low)]);
      rates.line("zero", 0, 0, 2, 0, "s-quiet w1");
      rates.curve("psd", ws, part, "s-green w2 dash");
      rates.curve("residual", ws, rest, "s-red w2 dot");
      rates.curve("operator", ws, full, "s-ink w3");
      const at = Math.sqrt(q * T);
      if (at <= 2) rates.circle("edge", at, 0, 4, "f-paper s-ink w2");
      rates.circle("now", x, T * rate, 7, Math.abs(rate) > 1e-9 ? "f-ink" : "f-paper s-ink w2", true);
      rates.say(`At weight ${show(x)} the rate is ${show(rate)}: ${show(psd)} from the covariance and ${show(rate - psd)} from the residual.`);

      // gaps of the triples: same image or the other, three views
      const gaps = new Map();
      for (const same of [1, 0]) for (const a of [1, -1]) for (const b of [1, -1]) for (const c of [1, -1]) {
        const far = (same ? 0 : 2) + e * (a - c), near = e * (a - b);
        const y = Number(((x * x * (far * far - near * near)) / 2).toPrecision(12));
        gaps.set(y, (gaps.get(y) ?? 0) + 1 / 16);
      }
      const reach = Math.max(0.5, ...[...gaps.keys()].map(Math.abs)) * 1.08, ys = range(-reach, reach, 101);
      triples.bounds([-reach, reach], null);
      triples.line("tie", 0, 0, 0, 1, "s-quiet w1 dot");
      triples.curve("weight", ys, ys.map((y) => T * forms.weight(y, T)), "s-ink w2");
      [...gaps].sort((a, b) => a[0] - b[0]).forEach(([y, share], n) => triples.circle(`triple-${n}`, y,
        T * forms.weight(y, T), 3 + 10 * Math.sqrt(share), y < 0 ? "f-red" : y > 0 ? "f-blue" : "f-quiet"));
      triples.say(`${gaps.size} different gaps, from ${show(Math.min(...gaps.keys()))} to ${show(Math.max(...gaps.keys()))}.`);

      const critical = (x * x) / q;
      const [regime, tone, lead, rest_] =
        e === 0 ? ["quiet", "good", "No residual.", "All views of an image agree, so the operator is its covariance part. Nothing ever stops the weight; its growth only slows down."]
        : x === 0 ? ["start", "good", "At the start.", "All weights of triples are 1/(2*τ*~c~): InfoNCE is the simple loss, and the residual is zero."]
        : Math.abs(rate) < 1e-9 ? ["critical", "", "In balance.", `Here covariance and residual cancel. A larger weight or a lower temperature would make the operator negative.`]
        : rate < 0 ? ["shrinks", "bad", "The operator is negative.", `Triples whose positive lies farther away than their negative (red) shrink the weight more than the others stretch it. The weight shrinks to ${show(at)}.`]
        : ["grows", "good", rate < psd ? "The covariance wins." : "Both parts stretch.", `The residual ${rate < psd ? "takes" : "adds"} ${show(100 * Math.abs(1 - rate / psd), 3)} % of the covariance part. The weight grows to ${show(at)}${e > 0.5 ? "" : "; only triples that hold the same image twice stop it there"}.`];
      return { regime, tone, caption: [lead, rest_],
        numbers: { rate, psd, residual: rate - psd, edge: e === 0 ? 0 : critical } };
    });
  },
};
