// Two isotropic clusters: their plane, and every measure against the number of dimensions.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "measures", keys: ["a_x", "a_y", "b_x", "b_y", "spread", "log_dim", "samples"] });
    const { show, fixed, clamp, range } = kit;
    const LOGS = range(1, 9, 33), TURN = range(0, 2 * Math.PI, 73), TOP = 4, BOTTOM = -4;

    w.choices("five pairs of clusters, or drag the means", [
      { label: "clear", values: { a_x: -1, a_y: 0, b_x: 1, b_y: 0, spread: 0.4, log_dim: 1, samples: 100 }, title: "two dimensions, many samples" },
      { label: "as clear, 512 dimensions", values: { a_x: -1, a_y: 0, b_x: 1, b_y: 0, spread: 0.4, log_dim: 9, samples: 100 }, title: "only the dimension has changed" },
      { label: "the same, ten samples", values: { a_x: -1, a_y: 0, b_x: 1, b_y: 0, spread: 0.4, log_dim: 9, samples: 10 }, title: "only the samples have changed" },
      { label: "labels that say nothing", values: { a_x: 0, a_y: 0, b_x: 0, b_y: 0, spread: 0.4, log_dim: 9, samples: 10 }, title: "both means are one" },
      { label: "collapsed", values: { a_x: -1, a_y: 0, b_x: 1, b_y: 0, spread: 0.05, log_dim: 3, samples: 10 }, title: "hardly any spread" }]);
    w.slider({ key: "spread", label: "spread of both classes, standard deviation in each dimension", min: 0.05, max: 1.5, step: 0.05 });
    w.slider({ key: "log_dim", label: "log~2~ of the number of dimensions *n*~f~", min: 1, max: 9, step: 1, digits: 0,
      ticks: () => [{ label: "2", value: 1 }, { label: "8", value: 3 }, { label: "128", value: 7 }, { label: "512", value: 9 }] });
    w.slider({ key: "samples", label: "samples of each class *N*~c~", min: 3, max: 100, step: 1, digits: 0,
      ticks: () => [{ label: "3", value: 3 }, { label: "10", value: 10 }, { label: "100", value: 100 }] });
    const plane = w.plot({ name: "plane", title: "Means, with circles of one and two deviations", equal: true, handles: true,
      xlabel: "first dimension", ylabel: "second dimension", x: [-2, 2], y: [-1.5, 1.5], maxWidth: 420,
      legend: [{ looks: "s-blue w2", label: "class A" }, { looks: "s-red w2 dash", label: "class B" },
        { looks: "s-quiet w2 dot", label: "equally near" }] });
    const ratios = w.plot({ name: "cdnv", title: "CDNV against the dimension", log: true, xlabel: "log~2~ of the dimensions",
      ylabel: "CDNV", x: [1, 9], y: [BOTTOM, TOP], maxWidth: 380, ratio: 0.8,
      legend: [{ looks: "s-blue w3", label: "*V*" }, { looks: "s-red w3 dash", label: "directional *V*~u~" },
        { looks: "s-blue w2 dot", label: "*V* from samples" }, { looks: "s-red w2 dot", label: "*V*~u~ from samples" }] });
    const shares = w.plot({ name: "accuracy", title: "Accuracy of the nearest class mean", xlabel: "log~2~ of the dimensions",
      ylabel: "accuracy", x: [1, 9], y: [0.4, 1.05], maxWidth: 380, ratio: 0.8,
      legend: [{ looks: "s-ink w2", label: "true means" }, { looks: "s-green w3 dash", label: "from samples, new features" },
        { looks: "s-orange w3 dot", label: "from samples, on them" }] });
    for (const [key, label] of [["cdnv", "CDNV *V*"], ["directional", "directional CDNV *V*~u~"], ["nc1", "NC1"],
      ["found", "*V* from samples"], ["found_directional", "*V*~u~ from samples"], ["exact", "accuracy, true means"],
      ["floor", "its bound from *V*~u~"], ["new", "accuracy, new features"], ["own", "accuracy on the samples"],
      ["rank", "effective rank"], ["same", "alignment: mean squared distance in a class"],
      ["other", "the same between the classes"], ["uniform", "uniformity, lengths as they are"]]) w.number(key, label);

    // the normal law by Simpson's rule; beyond 8.5 deviations it is 0 or 1
    function normal(x) {
      if (Math.abs(x) > 8.5) return x > 0 ? 1 : 0;
      const n = 400, h = x / n, f = (v) => Math.exp((-v * v) / 2);
      let sum = f(0) + f(x);
      for (let k = 1; k < n; k += 1) sum += (k % 2 ? 4 : 2) * f(k * h);
      return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI);
    }
    function measured(far, s, dims, n) {
      if (far === 0) return { cdnv: Infinity, directional: Infinity, nc1: Infinity, found: (n - 1) / 2, exact: 0.5, floor: 0, new: 0.5,
        own: normal(Math.sqrt(dims / (2 * n))), rank: dims };
      const cdnv = (dims * s * s) / far ** 2, directional = cdnv / dims;
      return { cdnv, directional, nc1: 2 * directional, found: forms.plugin(cdnv, n), exact: normal(far / (2 * s)),
        floor: 1 - forms.bound(directional), new: normal(forms.new(cdnv, dims, n)), own: normal(forms.own(cdnv, dims, n)),
        rank: forms.rank(cdnv, dims, 2) };
    }

    return w.start(() => {
      const at = { a: [w.get("a_x"), w.get("a_y")], b: [w.get("b_x"), w.get("b_y")] };
      const s = w.get("spread"), log = w.get("log_dim"), n = w.get("samples"), dims = 2 ** log;
      const far = Math.hypot(at.b[0] - at.a[0], at.b[1] - at.a[1]);
      const looks = { a: ["s-blue w2", "f-blue"], b: ["s-red w2 dash", "f-red"] };
      if (far > 0) {
        const [mx, my] = [(at.a[0] + at.b[0]) / 2, (at.a[1] + at.b[1]) / 2];
        const [ux, uy] = [(at.b[1] - at.a[1]) / far, (at.a[0] - at.b[0]) / far];
        plane.line("border", mx - 6 * ux, my - 6 * uy, mx + 6 * ux, my + 6 * uy, "s-quiet w2 dot");
      }
      for (const key of ["a", "b"]) {
        for (const [ring, r] of [["one", s], ["two", 2 * s]])
          plane.curve(`${ring}-${key}`, TURN.map((v) => at[key][0] + r * Math.cos(v)), TURN.map((v) => at[key][1] + r * Math.sin(v)), looks[key][0]);
        const name = key.toUpperCase();
        plane.handle(`mean-${key}`, { at: at[key], looks: looks[key][1], step: [0.1, 0.1], label: `mean of class ${name}: arrow keys move it`,
          valuetext: `${fixed(at[key][0], 1)}, ${fixed(at[key][1], 1)}`,
          onmove: (x, y) => w.set({ [`${key}_x`]: clamp(Number(x.toFixed(2)), -2, 2), [`${key}_y`]: clamp(Number(y.toFixed(2)), -1.5, 1.5) }) });
        plane.text(...at[key], name, { dx: 10, dy: -9 });
      }
      const now = measured(far, s, dims, n), all = LOGS.map((v) => measured(far, s, 2 ** v, n));
      const log10 = (v) => Math.log10(v);
      if (far > 0) {
        ratios.curve("cdnv", LOGS, all.map((m) => log10(m.cdnv)), "s-blue w3");
        ratios.curve("directional", LOGS, all.map((m) => log10(m.directional)), "s-red w3 dash");
        ratios.circle("cdnv-now", log, log10(now.cdnv), 5, "f-blue", true);
        ratios.circle("directional-now", log, log10(now.directional), 5, "f-red", true);
      }
      ratios.curve("found", LOGS, all.map((m) => log10(m.found)), "s-blue w2 dot");
      ratios.curve("found-directional", LOGS, all.map((m, k) => log10(m.found / 2 ** LOGS[k])), "s-red w2 dot");
      shares.curve("exact", LOGS, all.map((m) => m.exact), "s-ink w2");
      shares.curve("new", LOGS, all.map((m) => m.new), "s-green w3 dash");
      shares.curve("own", LOGS, all.map((m) => m.own), "s-orange w3 dot");
      shares.circle("exact-now", log, now.exact, 5, "f-ink");
      plane.say(`The means are ${show(far)} apart, the spread is ${show(s)}.`);
      ratios.say(`V is ${show(now.cdnv)}, the directional one ${show(now.directional)}; from samples ${show(now.found)} and ${show(now.found / dims)}.`);
      shares.say(`Accuracy with the true means ${show(now.exact)}, of new features ${show(now.new)}, on the samples ${show(now.own)}.`);

      const said = `With the true means ${show(100 * now.exact)} % are right, with means from samples ${show(100 * now.new)} % of new features and ${show(100 * now.own)} % of the samples.`;
      const [regime, tone, lead, rest] =
        far === 0 ? ["nothing", "bad", "The labels say nothing.", `Both CDNVs are infinite; from samples they come out near ${show(now.found)} and ${show(now.found / dims)} in many dimensions. ${said}`]
        : now.own - now.new > 0.1 ? ["memory", "bad", "The samples remember their own means.", said]
        : now.exact > 0.98 && now.cdnv > 1 ? ["dimension", "bad", "The classes are apart, but *V* does not say so.", `It grows with the dimension; the directional one does not. ${said}`]
        : now.cdnv < 0.1 ? ["collapsed", "good", "Collapsed: every measure agrees.", said]
        : ["between", "", "The clusters are neither collapsed nor mixed up.", said];
      return { regime, tone, caption: [lead, rest], numbers: { cdnv: now.cdnv, directional: now.directional, nc1: now.nc1,
        found: now.found, found_directional: now.found / dims, exact: now.exact, floor: now.floor, new: now.new, own: now.own,
        rank: now.rank, same: 2 * dims * s * s, other: 2 * dims * s * s + far ** 2,
        uniform: Math.log((1 + Math.exp((-2 * far ** 2) / (1 + 8 * s * s))) / 2) - (dims / 2) * Math.log(1 + 8 * s * s) } };
    });
  },
};
