// Five modes of one linear model under eight methods: their strengths over time and at the end.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "one_picture", keys: ["method", "spectrum", "sigma_aug"] });
    const { show, range } = kit;
    const V = [1, 0.7, 0.5, 0.3, 0], OWN = [0, 0.02, 0.1, 0.02, 0.05];
    const SHAKEN = { shaken: [1, 0.5, 0, 0.1, 1], alike: [0.2, 0.2, 0.2, 0.2, 0.2] };
    const NAMES = { simple: "Simple contrastive", small: "InfoNCE at small weights", simclr: "SimCLR", vicreg: "VICReg",
      barlow: "Barlow Twins", byol: "BYOL", simsiam: "SimSiam", directpred: "DirectPred" };
    const LOOKS = ["s-blue w3", "s-ink w2 dot", "s-green w3 dash", "s-pink w2 dashdot", "s-red w3 dot"];
    const DOTS = ["f-blue", "f-ink", "f-green", "f-paper s-ink w2", "f-red"];
    const W0 = 0.1, T = 0.5, FLOOR = 1e-4, BOOST = 0.05, POINTS = 81;

    const within = (sigma, kind) => SHAKEN[kind].map((n, j) => n * sigma * sigma + OWN[j]);
    // where the first mode's share of signal falls to the third's
    function critical(kind) {
      const gap = (sigma) => { const I = within(sigma, kind); return forms.best(V[0], I[0]) - forms.best(V[2], I[2]); };
      let low = 0, high = 1.5;
      if (gap(low) * gap(high) > 0) return NaN;
      for (let n = 0; n < 80; n += 1) {
        const middle = (low + high) / 2;
        if (gap(middle) > 0) low = middle;
        else high = middle;
      }
      return (low + high) / 2;
    }

    w.select({ key: "method", label: "method", options: Object.entries(NAMES) });
    w.select({ key: "spectrum", label: "what the augmentation shakes", options: [
      ["shaken", "the strong modes and the noise, not mode 3"], ["alike", "all modes alike"]] });
    w.slider({ key: "sigma_aug", label: "augmentation strength *σ*~aug~", min: 0, max: 1.5, step: 0.05,
      ticks: () => [{ label: "none", value: 0 }, { label: "modes 1 and 3 equal", value: critical(w.get("spectrum")) },
        { label: "1", value: 1 }] });
    const legend = [...V.map((v, j) => ({ looks: LOOKS[j], label: v ? `mode ${j + 1}, *λ*~V~ = ${v}` : "mode 5, noise alone" }))];
    const course = w.plot({ name: "course", title: "Strength of the modes over time", log: true, maxWidth: 420,
      xlabel: "time", ylabel: "strength *s*", x: [0, 40], y: [-6, 2], legend });
    const ends = w.plot({ name: "ends", title: "Strength at the end, by share of signal", log: true, maxWidth: 420,
      xlabel: "share of signal *p*^∗^", ylabel: "strength *s*", x: [-0.05, 1.05], y: [-6, 2] });
    for (const j of [0, 2, 4]) w.number(`s_${j + 1}`, `strength of mode ${j + 1} at the end`);
    w.number("p_1", "share of signal, mode 1");
    w.number("p_3", "share of signal, mode 3");

    function velocity(method, x, I) {
      const at = (j) => x[j], n = V.length;
      if (method === "barlow") {
        const total = V.reduce((s, v, j) => s + x[j] ** 2 * (v + I[j]), 0);
        const match = V.reduce((s, v, j) => s + x[j] ** 2 * v, 0) / total;
        return V.map((v, j) => forms.barlow(x[j], v, I[j], match, total));
      }
      if (method === "byol") {
        const moved = V.map((v, j) => forms.byol(x[j], x[n + j], x[2 * n + j], v, I[j], 1, 1));
        return [0, 1, 2].flatMap((k) => moved.map((m) => m[k][0]));
      }
      if (method === "simsiam") {
        const moved = V.map((v, j) => forms.simsiam(x[j], x[n + j], v, I[j], 1));
        return [0, 1].flatMap((k) => moved.map((m) => m[k][0]));
      }
      const one = { simple: (j) => forms.simple(at(j), V[j]), small: (j) => forms.small(at(j), V[j], T, 1),
        simclr: (j) => forms.simclr(at(j), V[j], I[j], T),
        vicreg: (j) => forms.vicreg(at(j), V[j], I[j], 1, 1, FLOOR, n),
        directpred: (j) => forms.directpred(at(j), V[j], I[j], BOOST) }[method];
      return V.map((_, j) => one(j));
    }

    // Runge and Kutta's method of order four; under VICReg a mode stays at the hinge it reaches
    function flow(method, I, end) {
      const copies = { byol: 3, simsiam: 2 }[method] ?? 1, row = copies > 1 ? V.length : 0;
      const SUB = method === "barlow" ? 60 : 20; // modes that share an axis part quickly
      const h = end / (POINTS - 1) / SUB, add = (a, b, k) => a.map((v, i) => v + k * b[i]);
      let x = Array(copies * V.length).fill(W0);
      const path = [x];
      for (let n = 1; n < POINTS; n += 1) {
        for (let m = 0; m < SUB; m += 1) {
          const one = velocity(method, x, I), two = velocity(method, add(x, one, h / 2), I);
          const three = velocity(method, add(x, two, h / 2), I), four = velocity(method, add(x, three, h), I);
          x = x.map((v, i) => v + (h / 6) * (one[i] + 2 * two[i] + 2 * three[i] + four[i]));
          if (method === "vicreg") x = x.map((v, j) => Math.min(v, Math.sqrt((1 - FLOOR) / (V[j] + I[j]))));
        }
        path.push(x);
      }
      return V.map((_, j) => path.map((state) => state[row + j] ** 2));
    }

    return w.start(() => {
      const method = w.get("method"), kind = w.get("spectrum"), sigma = w.get("sigma_aug");
      const I = within(sigma, kind), runaway = method === "simple" || method === "small";
      const end = runaway ? 4 : 40, times = range(0, end, POINTS), paths = flow(method, I, end);
      const best = V.map((v, j) => forms.best(v, I[j])), last = paths.map((p) => p[POINTS - 1]);
      course.bounds([0, end], null);
      paths.forEach((s, j) => course.curve(`mode-${j + 1}`, times, s.map((v) => Math.log10(Math.max(v, 1e-7))), LOOKS[j]));
      best.forEach((b, j) => {
        const y = Math.log10(Math.max(last[j], 1e-6));
        ends.circle(`end-${j + 1}`, b, y, 7, DOTS[j]);
        ends.text(b, y, `${j + 1}`, { anchor: "middle", dy: j % 2 ? 22 : -12 });
      });
      const order = last.map((_, j) => j).sort((a, b) => last[b] - last[a]), top = order[0] + 1;
      course.say(`${NAMES[method]}: at the end mode ${top} is the strongest, ${show(last[top - 1])}, and the noise is at ${show(last[4])}.`);
      ends.say(best.map((b, j) => `Mode ${j + 1}: share ${show(b)}, strength ${show(last[j])}.`).join(" "));
      const edge = critical(kind), at = Math.abs(sigma - edge) < 1e-9;
      const settled = last.every((v, j) => j === top - 1 || v < 0.01 * last[top - 1]);
      const noise = `The noise is at ${show(last[4])}.`;
      const leads = `At time ${end} mode ${top} is the strongest, with ${show(last[top - 1])}.`;
      const [regime, tone, lead, rest] =
        runaway ? ["runaway", "", "No end.", `Every mode with variance between images grows without bound, mode 1 first, at a rate of *λ*~V~ alone. The augmentation changes nothing; the noise mode neither grows nor dies.`]
        : method === "vicreg" ? ["noise kept", "bad", "Everything is kept, noise too.", `The variance term looks at the variance of all views. ${noise} ${leads} A mode with a share of at least 3/4 stops at the hinge, *s* = 1/*t*; any other at the deviation 1/(4(1 − *p*^∗^)).`]
        : at ? ["critical", "", "Modes 1 and 3 are equally good.", `Both have the share ${show(best[0])}. Mode 1 starts faster; ${method === "barlow" && top !== 1 && top !== 3 ? `on the shared axis mode ${top}, with ${show(best[top - 1])}, drives both out.` : `in the end they are at ${show(last[0])} and ${show(last[2])}. ${leads}`} ${noise}`]
        : method === "barlow" ? [top === 1 ? "first" : "overtaken", "good", "One axis, one winner.", `Mode ${top} ${settled ? "has driven the others back" : "drives the others back, and has not yet finished"}: *p*^∗^ decides, ${show(best[top - 1])} here. The sum of all squared weights stays at ${show(V.length * W0 * W0)}. ${noise}`]
        : top === 1 ? ["first", "good", `First, and not overtaken by time ${end}.`, `Mode 1 has the largest *λ*~V~ and starts first; its share of signal is ${show(best[0])}. ${leads} ${noise}`]
        : best[0] < best[top - 1] ? ["overtaken", "good", "First to start, not best.", `Mode 1 has the largest *λ*~V~ and starts first, but its share of signal, ${show(best[0])}, is below that of mode ${top}, ${show(best[top - 1])}. ${leads} ${noise}`]
        : ["overtaken", "good", "Best share, not the largest weight.", `Mode 1 has the largest *λ*~V~ and its share, ${show(best[0])}, is not below that of mode ${top}, ${show(best[top - 1])}. But the share sets the variance *st*, and mode ${top} has less variance in the data to begin with. ${leads} ${noise}`];
      return { regime, tone, caption: [`${NAMES[method]}: ${lead[0].toLowerCase()}${lead.slice(1)}`, rest],
        numbers: { s_1: last[0], s_3: last[2], s_5: last[4], p_1: best[0], p_3: best[2] } };
    });
  },
};
