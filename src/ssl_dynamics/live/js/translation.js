// One neuron on a ring of five sites: its weights on the clock, corner by corner, gates held or not.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "translation", keys: ["weights", "corner"] });
    const { show, fixed, clamp } = kit;
    const SITES = 5, KAPPA = 2, PRIOR = 0.5, EDGE = 3, DUST = 1e-9, MOST = 60;
    const names = { 1: "11", 2: "101" };
    const looks = ["s-blue", "s-red", "s-green", "s-ink", "s-quiet"];
    const fills = ["f-blue", "f-red", "f-green", "f-ink", "f-quiet"];
    const places = [...Array(SITES).keys()];
    const inputs = (v, c) => places.map((p) => v[p] + v[(p + c) % SITES]);
    const answer = (v, c) => inputs(v, c).reduce((sum, x) => sum + Math.max(x, 0), 0) / SITES;
    // the entries of u, or of v for gates between 0 and 1
    const velocity = (gates, parts, like, other) => places.map((i) => forms.site(SITES, gates[i],
      gates[(i - like + SITES) % SITES], parts[i], parts[(i - other + SITES) % SITES]));

    // Gates between 0 and 1 on the places in `free` that make the velocity shortest.
    function shortest(gates, parts, free, like, other) {
      const g = [...parts], v = velocity(gates, g, like, other);
      for (let sweep = 0, moved = 1; sweep < 4000 && moved > 1e-14; sweep += 1) {
        moved = 0;
        for (const p of places) {
          if (!free[p]) continue;
          const q = (p + other) % SITES;
          const by = clamp(g[p] + SITES * (v[p] + v[q]) / 2, 0, 1) - g[p];
          g[p] += by;
          v[p] -= by / SITES;
          v[q] -= by / SITES;
          moved = Math.max(moved, Math.abs(by));
        }
      }
      return { parts: g, v: v.map((x) => (Math.abs(x) < DUST ? 0 : x)) };
    }

    // The whole path: corners with weights, clock, velocity and gates of the piece that follows.
    function walk(start) {
      const gap = answer(start, 1) - answer(start, 2);
      if (Math.abs(gap) < DUST) return { liked: 0, corners: [{ at: 0, weights: start, v: start.map(() => 0), gates: inputs(start, 1).map((x) => Number(x > 0)), parts: inputs(start, 2).map((x) => Number(x > 0)) }] };
      const [like, other] = gap > 0 ? [1, 2] : [2, 1], corners = [];
      let weights = start, at = 0, gates = inputs(start, like).map((x) => Number(x > 0));
      for (let n = 0; n < MOST; n += 1) {
        const h = inputs(weights, other), top = Math.max(1, ...weights.map(Math.abs));
        const free = h.map((x) => Math.abs(x) < DUST * top);
        const { parts, v } = shortest(gates, h.map((x, p) => (free[p] ? 0 : Number(x > 0))), free, like, other);
        corners.push({ at, weights, v, gates: [...gates], parts });
        const up = inputs(v, like), slope = inputs(v, other), level = inputs(weights, like);
        const tiny = 10 * DUST, wait = places.map((p) => {
          const flips = gates[p] ? up[p] < -tiny : up[p] > tiny;
          return flips ? Math.max(gates[p] ? level[p] : -level[p], 0) / Math.abs(up[p]) : Infinity;
        });
        const reach = places.map((p) => (!free[p] && Math.abs(slope[p]) > tiny && h[p] * slope[p] < 0 ? -h[p] / slope[p] : Infinity));
        const next = Math.min(...wait, ...reach);
        if (next === Infinity) break;
        gates = gates.map((g, p) => (wait[p] <= next * (1 + 1e-12) + 1e-13 ? 1 - g : g));
        weights = weights.map((x, p) => x + next * v[p]);
        at += next;
      }
      return { liked: like, other, corners };
    }

    const presets = [
      { label: "ends selective", weights: [-1.5, 0.7, 0.9, -1.4, -0.8] },
      { label: "ends at 1 : 2", weights: [0.5, 0.9, 0.7, -0.6, -0.2] },
      { label: "likes 101", weights: [0.2, -1.4, -1.6, 0.4, -0.8] },
      { label: "rests", weights: [1, 0.5, 0.8, 1.2, 0.6] }];
    w.choices("start, or drag a weight", presets.map(({ label, weights }) => ({ label, values: { weights, corner: 0 } })));
    let path = walk(w.get("weights"));
    const now = () => clamp(Math.round(w.get("corner")), 0, path.corners.length - 1);
    w.slider({ key: "corner", label: "corners passed", min: 0, max: 6, step: 1, digits: 0,
      ticks: () => [{ label: "start", value: 0 },
        { label: "previous", value: Math.max(now() - 1, 0) },
        { label: "next", value: Math.min(now() + 1, path.corners.length - 1) },
        { label: "last piece", value: path.corners.length - 1 }] });
    const ring = w.plot({ name: "weights", title: "The weights now: drag a start", xlabel: "site of the ring",
      ylabel: "weight", x: [-0.5, 4.5], y: [-EDGE, EDGE], handles: true, maxWidth: 400, ratio: 0.75, legend: [
        { marker: "dot", looks: "f-ink", label: "start" }, { marker: "dot", looks: "f-paper s-ink w2", label: "now" }] });
    const clock = w.plot({ name: "clock", title: "The path: straight from corner to corner", xlabel: "clock *ℓ*",
      ylabel: "weight", x: [0, 10], y: [-EDGE, EDGE], maxWidth: 400, ratio: 0.75,
      legend: places.map((p) => ({ looks: `${looks[p]} w2${p % 2 ? " dash" : ""}`, label: `site ${p}` })) });
    const wheel = w.plot({ name: "ring", title: "The ring now: a line is an answered picture", xlabel: "across",
      ylabel: "up", x: [-1.5, 1.5], y: [-1.4, 1.4], equal: true, maxWidth: 400, legend: [
        { marker: "dot", looks: "f-green", label: "weight above 0" }, { marker: "dot", looks: "f-paper s-ink w2", label: "below 0" },
        { looks: "s-blue w3", label: "11" }, { looks: "s-red w2 dash", label: "101" }] });
    const board = w.plot({ name: "gates", title: "The pictures now: a full dot is answered", xlabel: "place *p*",
      ylabel: "pre-activation", x: [-0.5, 4.5], y: [-2, 6], maxWidth: 400, ratio: 0.75, legend: [
        { marker: "dot", looks: "f-blue", label: "11" }, { marker: "dot", looks: "f-red", label: "101" },
        { marker: "cross", looks: "s-ink w2", label: "held at zero" }] });
    w.number("corner", "corner");
    w.number("D", "*D*");
    w.number("ratio", "disliked / liked");
    w.number("time", "time *t* until now");
    w.number("places", "liked places at the start");
    w.number("end", "ratio in the end");

    return w.start(() => {
      const start = w.get("weights");
      path = walk(start);
      const last = path.corners.length - 1, k = now(), here = path.corners[k], end = path.corners[last];
      const { liked } = path, other = path.other ?? 2, like = liked || 1;
      const span = Math.max(10, 1.5 * end.at), heights = [...start, ...end.weights, ...here.weights];
      const reach = Math.max(EDGE, 1.1 * Math.max(...heights.map(Math.abs)));
      ring.bounds(null, [-reach, reach]);
      ring.line("zero", -0.5, 0, 4.5, 0, "s-quiet w1");
      places.forEach((p) => {
        ring.line(`move-${p}`, p, start[p], p, here.weights[p], "s-quiet w2");
        ring.circle(`now-${p}`, p, here.weights[p], 9, "f-paper s-ink w2");
        ring.handle(`weight-${p}`, { at: [p, start[p]], step: [0, 0.1], radius: 5, looks: fills[p], mark: `start-${p}`,
          label: `weight of site ${p} at the start`, valuetext: fixed(start[p]),
          onmove: (_, y) => w.set({ corner: 0, weights: start.map((v, q) => (q === p ? clamp(Number(y.toFixed(2)), -EDGE, EDGE) : v)) }) });
      });
      ring.say(`Weights at the start: ${start.map((v) => fixed(v)).join(", ")}; now: ${here.weights.map((v) => fixed(v)).join(", ")}.`);
      const xs = [...path.corners.map((c) => c.at), span];
      const tail = places.map((p) => end.weights[p] + (span - end.at) * end.v[p]);
      const high = Math.max(EDGE, ...tail.map(Math.abs), reach) * 1.05;
      clock.bounds([0, span], [-high, high]);
      path.corners.forEach((c, n) => n && clock.line(`corner-${n}`, c.at, -high, c.at, high, "s-line w1"));
      places.forEach((p) => clock.curve(`site-${p}`, xs, [...path.corners.map((c) => c.weights[p]), tail[p]], `${looks[p]} w2${p % 2 ? " dash" : ""}`));
      clock.line("now", here.at, -high, here.at, high, "s-ink w2");
      clock.say(`${last} corners; in the end the weights move with velocity ${end.v.map((v) => show(v)).join(", ")}.`);
      const values = { 1: inputs(here.weights, 1), 2: inputs(here.weights, 2) };
      const all = [...values[1], ...values[2]], top = Math.max(2, ...all.map(Math.abs)) * 1.1;
      board.bounds(null, [-top, top]);
      board.line("zero", -0.5, 0, 4.5, 0, "s-quiet w1");
      for (const c of [1, 2]) places.forEach((p) => {
        const x = p + (c === 1 ? -0.13 : 0.13), part = c === other ? here.parts[p] : here.gates[p];
        const held = liked && c === other && part > 1e-7 && part < 1 - 1e-7;
        board.line(`bar-${c}-${p}`, x, 0, x, values[c][p], c === 1 ? "s-blue w2" : "s-red w2");
        if (held) board.cross(`held-${c}-${p}`, x, values[c][p], 6, "s-ink w2");
        else board.circle(`gate-${c}-${p}`, x, values[c][p], 5, values[c][p] > 0 ? (c === 1 ? "f-blue" : "f-red") : `f-paper w2 ${c === 1 ? "s-blue" : "s-red"}`);
      });
      const spot = (p) => [Math.sin((2 * Math.PI * p) / SITES), Math.cos((2 * Math.PI * p) / SITES)];
      const largest = Math.max(...here.weights.map(Math.abs), 1e-9);
      for (const c of [2, 1]) places.forEach((p) => {
        if (!(values[c][p] > DUST)) return;
        const [a, b] = [spot(p), spot((p + c) % SITES)];
        wheel.line(`edge-${c}-${p}`, ...a, ...b, c === 1 ? "s-blue w3" : "s-red w2 dash");
      });
      places.forEach((p) => {
        const [x, y] = spot(p), size = 5 + 11 * Math.sqrt(Math.abs(here.weights[p]) / largest);
        wheel.circle(`site-${p}`, x, y, size, here.weights[p] > 0 ? "f-green" : "f-paper s-ink w2");
        wheel.text(1.28 * x, 1.28 * y, String(p), { anchor: "middle", dy: 5 });
      });
      wheel.say(`Weights around the ring: ${here.weights.map((v) => fixed(v)).join(", ")}.`);
      const held = liked ? places.filter((p) => here.parts[p] > 1e-7 && here.parts[p] < 1 - 1e-7) : [];
      board.say(held.length ? `Held at zero: ${names[other]} at ${held.join(", ")}.` : "No gate is held.");

      const D = Math.abs(answer(here.weights, 1) - answer(here.weights, 2));
      let t = 0;
      for (let n = 0; n < k; n += 1) {
        const c = path.corners[n], gap = Math.abs(answer(c.weights, 1) - answer(c.weights, 2));
        t += forms.time(path.corners[n + 1].at - c.at, gap, KAPPA, PRIOR, c.v.reduce((s, v) => s + v * v, 0));
      }
      const of = (v) => (answer(v, like) > 0 ? answer(v, other) / answer(v, like) : 0);
      const ratio = of(here.weights), final = liked ? of(end.v) : ratio; // at rest nothing changes
      const tidy = final < 1e-7 ? 0 : final, first = inputs(start, like).filter((x) => x > 0).length;
      const lone = held.length === 1 ? forms.mixture(SITES, 1 / SITES) : null;
      const verb = `The neuron likes ${names[like]}`, told = `It started with an answer to ${names[like]} at ${first} of 5 places, so the rule says: ${first <= 2 ? "selective" : "1 : 2"}.`;
      const [regime, tone, lead, rest] =
        !liked ? ["rests", "bad", "It rests.", "Both objects get the same mean answer, and nothing moves."]
        : k === last ? [tidy ? "shared" : "selective", tidy ? "" : "good", tidy ? "The last piece, at 1 : 2." : "The last piece: selective.", `${verb}, and slides for ever along ${held.length} held gate${held.length > 1 ? "s" : ""} of ${names[other]}. ${tidy ? `Its answer to ${names[other]} tends to ${show(tidy)} of the other.` : `In the limit it answers to no ${names[other]}.`} ${told}`]
        : held.length ? ["slides", "", "It slides.", `${verb}; ${held.length} gate${held.length > 1 ? "s" : ""} of ${names[other]} ${held.length > 1 ? "are" : "is"} held at zero${lone ? `, open for ${show(lone)} of the time` : ""}. ${told}`]
        : ["straight", "", "A straight piece.", `${verb}; no gate is held, and the closed form holds until the next corner at *ℓ* = ${show(path.corners[k + 1].at)}. ${told}`];
      return { regime, tone, caption: [lead, rest],
        numbers: { corner: { value: k, text: `${k} of ${last}` }, D,
          ratio, time: t, places: { value: first, text: `${first} of 5` },
          end: tidy } };
    });
  },
};
