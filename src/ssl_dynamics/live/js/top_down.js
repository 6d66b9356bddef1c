// What a layer chosen without labels leaves over, against the number of its nodes.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "top_down", keys: ["bits", "order", "nodes"] });
    const { show } = kit;
    const USED = 6, WANTED = 0.05;
    const choose = (n, r) => {
      let ways = r < 0 || r > n ? 0 : 1;
      for (let i = 1; i <= Math.min(r, n - r); i += 1) ways = Math.round((ways * (n - i + 1)) / i);
      return ways;
    };
    const now = () => {
      const d = Math.round(w.get("bits")), k = Math.round(w.get("order"));
      return { d, k, T: choose(d, k), n: Math.round(w.get("nodes")) };
    };
    // least error for conjunctions with 0, 1, ..., T nodes: what is left of the eigenvalues
    function least(d, k) {
      const values = [];
      for (let j = 0; j <= Math.min(k, d - k); j += 1) {
        let value = 0;
        for (let r = Math.max(1, j); r <= k; r += 1) value += choose(k - j, r - j) * choose(d - r - j, k - r);
        const times = choose(d, j) - choose(d, j - 1);
        for (let i = 0; i < times; i += 1) values.push(value);
      }
      values.sort((a, b) => b - a);
      const left = [0];
      for (let i = values.length - 1; i >= 0; i -= 1) left.unshift(left[0] + values[i]);
      return left.map((v) => v / left[0]);
    }
    const needs = (left) => left.findIndex((v) => v <= WANTED + 1e-12);

    w.slider({ key: "bits", label: "input bits *d*~x~", min: 5, max: 12, step: 1, digits: 0,
      ticks: () => [{ label: "as in the figure, 10", value: 10 }] });
    w.slider({ key: "order", label: "bits in one feature *k*", min: 1, max: 5, step: 1, digits: 0,
      ticks: () => [{ label: "single bits", value: 1 }, { label: "half of the bits", value: Math.floor(now().d / 2) }] });
    w.slider({ key: "nodes", label: "nodes of the layer *n*~l~", min: 0, max: 800, step: 1, digits: 0,
      ticks: () => [{ label: "as many as are used", value: Math.min(USED, now().T) },
        { label: "5 % left", value: needs(least(now().d, now().k)) },
        { label: "one for each candidate", value: now().T }] });
    const plot = w.plot({ name: "left", title: "Least error of a layer that saw no label", maxWidth: 560,
      xlabel: "nodes of the layer *n*~l~", ylabel: "part of the variance left", x: [0, 100], y: [0, 1.05],
      legend: [{ looks: "s-blue w3", label: "conjunctions, mean over the candidates" },
        { looks: "s-red w2 dash", label: "parities, or any orthonormal candidates" },
        { looks: "s-green w2 dot", label: "conjunctions, all smaller combinations free" },
        { looks: "f-ink", label: "your layer at its best", marker: "dot" }] });
    w.number("candidates", "candidates *T*~k~");
    w.number("left", "left, conjunctions");
    w.number("parity", "left, parities");
    w.number("needed", "nodes for 5 %");

    return w.start(() => {
      const { d, k, T, n } = now(), left = least(d, k), needed = needs(left), used = Math.min(USED, T);
      const end = Math.max(1.15 * T, 20), ns = left.map((_, i) => i);
      const here = left[Math.min(n, T)], parity = forms.blind(Math.min(n, T), T);
      plot.bounds([0, end], [0, 1.05]);
      plot.line("goal", 0, WANTED, end, WANTED, "s-quiet w1 dot");
      plot.line("used", used, 0, used, 1.05, "s-quiet w1 dash");
      plot.text(used, 1, `${used} used`, { dx: 5, dy: 4 });
      plot.curve("conjunctions", ns, left, "s-blue w3");
      plot.curve("parities", [0, T], [forms.blind(0, T), forms.blind(T, T)], "s-red w2 dash");
      plot.curve("free", [0, T], [forms.free(0, T, k), forms.free(T, T, k)], "s-green w2 dot");
      plot.circle("layer", Math.min(n, end), here, 6, "f-ink");
      plot.say(`${T} candidates. A layer of ${n} nodes leaves at least ${show(here)} of conjunctions and ${show(parity)} of parities.`);

      const gap = `The teacher uses ${used}. Chosen with the labels, ${used} nodes are enough; blind, 5 % of the variance of conjunctions asks for ${needed} or more.`;
      const [regime, tone, lead, rest] =
        n === T ? ["critical: one each", "good", "There is one node for each candidate.", `All ${T} fit, the ${used} that are used and the others. ${gap}`]
        : n > T ? ["more", "good", "There are more nodes than candidates.", gap]
        : n === used ? ["critical: as many as are used", "bad", "As many nodes as features that are used.", gap]
        : n < used ? ["few", "bad", "Fewer nodes than features.", gap]
        : n === needed ? ["critical: 5 % left", "", "Here the best blind layer leaves 5 % or less.", gap]
        : n > needed ? ["nearly all", "", "Nearly every combination is spanned.", gap]
        : ["blind", "bad", "Enough with the labels, not without.", gap];
      return { regime, tone, caption: [lead, rest],
        numbers: { candidates: T, left: here, parity, needed } };
    });
  },
};
