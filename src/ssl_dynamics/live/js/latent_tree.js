// A tree of latents: discs fill with the correlation of each latent's best neuron; a dark rim says
// that this neuron was the best before training, too.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "latent_tree", keys: ["latent", "shown"] });
    const { fixed, mean, clamp } = kit;
    const depth = WALK.branching.length;
    const nodes = []; // latents from the root: depth, place in the level, parent, x
    let first = [0];
    for (let d = 0, count = 1; d < depth; d += 1) {
      for (let i = 0; i < count; i += 1)
        nodes.push({ d, i, count, x: (i + 0.5) / count, height: depth - d,
          parent: d ? first[d - 1] + Math.floor(i / WALK.branching[d - 1]) : -1 });
      first.push(first[d] + count);
      count *= WALK.branching[d];
    }
    const last = nodes.length - 1, gain = nodes.map((_, k) => WALK.end[k] - WALK.start[k]);
    const most = gain.indexOf(Math.max(...gain)), share = nodes.map((_, k) => WALK.end[k] / WALK.ceiling[k]);
    const least = share.indexOf(Math.min(...share));
    const same = (k) => WALK.first[k] === WALK.best[k];
    const now = () => clamp(Math.round(w.get("latent")), 0, last);
    const lineage = (k) => (k < 0 ? [] : [...lineage(nodes[k].parent), k]);
    const fromRoot = (k) => lineage(k).slice(1).reduce((rho, j) => forms.path(rho, WALK.polarity[j]), 1);

    w.slider({ key: "latent", label: "latent, counted from the root", min: 0, max: last, step: 1,
      digits: 0, ticks: () => [{ label: "root", value: 0 }, { label: "largest gain", value: most },
        { label: "furthest below its ceiling", value: least }] });
    w.choices("draw the neurons", [{ label: "before training", values: { shown: "before" } },
      { label: "after training", values: { shown: "after" } }]);
    const tree = w.plot({ name: "tree", title: "The latents; full disc: at its ceiling; empty: half of it",
      xlabel: "place in the tree", ylabel: "height", x: [0, 1], y: [0.4, depth + 0.6], maxWidth: 0,
      ratio: 0.55, legend: [{ looks: "s-blue w2", label: "child follows its parent" },
        { looks: "s-red w2 dash", label: "child opposes its parent" },
        { looks: "f-paper s-ink w2", marker: "dot", label: "same best neuron before and after" }] });
    const level = w.plot({ name: "level", title: "Every latent of its level",
      xlabel: "place in the tree", ylabel: "correlation", x: [0, 1], y: [0, 1.02], ratio: 0.6,
      legend: [{ looks: "f-paper s-ink w2", marker: "dot", label: "before" },
        { looks: "f-green", marker: "dot", label: "after" },
        { looks: "s-ink w2", marker: "cross", label: "Bayes ceiling" }] });
    w.number("before", "before");
    w.number("after", "after");
    w.number("ceiling", "Bayes ceiling");
    w.number("path", "polarity from the root");
    w.number("first", "best neuron before");
    w.number("best", "best neuron after");

    return w.start(() => {
      const k = now(), node = nodes[k], shown = w.get("shown") === "before" ? WALK.start : WALK.end;
      const way = new Set(lineage(k));
      nodes.forEach((n, j) => {
        if (n.parent < 0) return;
        const p = nodes[n.parent], looks = WALK.polarity[j] > 0 ? "s-blue" : "s-red dash";
        tree.line(`edge-${j}`, p.x, p.height, n.x, n.height, `${looks} ${way.has(j) ? "w3" : "w1"}`);
      });
      const { width } = tree.size(), full = clamp(width / 75, 4.5, 9);
      nodes.forEach((n, j) => {
        tree.circle(`rim-${j}`, n.x, n.height, full, same(j) ? "f-paper s-ink w2" : "f-paper s-quiet w1");
        const part = clamp(2 * (shown[j] / WALK.ceiling[j]) - 1, 0, 1);
        const disc = tree.circle(`disc-${j}`, n.x, n.height, full * part, "f-green");
        disc.dataset.part = part;
        const press = tree.circle(`press-${j}`, n.x, n.height, full + 2, j === k ? "s-ink w3" : "");
        press.style.pointerEvents = "all";
        press.style.cursor = "pointer";
        press.addEventListener("click", () => w.set({ latent: j }));
      });
      const neuron = 1 + (w.get("shown") === "before" ? WALK.first : WALK.best)[k];
      tree.text(node.x, node.height, `neuron ${neuron}`, { anchor: "middle", dy: -full - 7 });
      const peers = nodes.map((n, j) => [n, j]).filter(([n]) => n.d === node.d);
      for (const [n, j] of peers) {
        level.line(`rise-${j}`, n.x, WALK.start[j], n.x, WALK.end[j], j === k ? "s-ink w3" : "s-quiet w1");
        level.cross(`top-${j}`, n.x, WALK.ceiling[j], 4, "s-ink w2");
        level.circle(`start-${j}`, n.x, WALK.start[j], 4, "f-paper s-ink w2");
        level.circle(`end-${j}`, n.x, WALK.end[j], j === k ? 6 : 4, "f-green");
      }
      const before = WALK.start[k], after = WALK.end[k], top = WALK.ceiling[k], rho = fromRoot(k);
      const words = (v) => fixed(v, 2);
      const who = same(k) ? `neuron ${1 + WALK.first[k]}, the best before training and after,`
        : `its best of ${WALK.hid} neurons, number ${1 + WALK.first[k]} before training and ${1 + WALK.best[k]} after,`;
      const at = `${who[0].toUpperCase()}${who.slice(1)} correlates ${words(before)} before and ${words(after)} after; no function of the leaves below can exceed ${words(top)}.`;
      const others = peers.length > 1
        ? ` The ${peers.length} latents of this level: ${words(mean(peers.map(([, j]) => WALK.start[j])))} before, ${words(mean(peers.map(([, j]) => WALK.end[j])))} after, on average.` : "";
      const [regime, tone, lead, rest] =
        k === 0 ? ["critical: root", "good", "The root: the one latent that augmentation keeps.", `${at} The loss acts on this neuron group directly.`]
        : k === most ? ["critical: largest gain", "good", `Height ${node.height}: no latent of this tree gained more.`, `${at} What the root says of it is multiplied by ${words(rho)} on the way.${others}`]
        : k === least ? ["critical: furthest", "", `Height ${node.height}: furthest below its ceiling.`, `${at} What the root says of it is multiplied by ${words(rho)} on the way.${others}`]
        : node.height === 1 ? ["leaves", "", "Just above the leaves: found without learning.", `${at} Some random neuron reads two leaves with the right signs, so this level says nothing about training.${others}`]
        : after - before < 0.02 ? ["still", "", "Little was left to learn.", at + others]
        : ["learned", "good", `A hidden latent of height ${node.height}, found without a label.`, `${at} What the root says of it is multiplied by ${words(rho)} on the way.${others}`];
      tree.say(`Latent ${k} at height ${node.height}, ${w.get("shown")} training.`);
      level.say(`Before ${words(before)}, after ${words(after)}, ceiling ${words(top)}.`);
      return { regime, tone, caption: [lead, rest],
        numbers: { before, after, ceiling: top, path: rho, first: 1 + WALK.first[k], best: 1 + WALK.best[k] } };
    });
  },
};
