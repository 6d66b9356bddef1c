// Phase portrait of scalar SimSiam: field, basin of collapse, one orbit from a start to drag.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "simsiam", keys: ["flow", "phi", "theta"] });
    const { show, fixed, range, clamp } = kit;
    const END = 25, H = 0.0125, EDGE = 2.2;
    const flows = { stop: forms.flow_stop, full: forms.flow_full, second: forms.flow_second };
    const limits = { stop: forms.limit_stop, full: forms.limit_full, second: forms.limit_second };
    // on the edge of a basin rounding may leave a tiny square of the encoder: it is zero
    const ending = (flow, x, y) => (limits[flow](x, y) < 1e-12 ? 0 : limits[flow](x, y));
    const names = { stop: "With stop-gradient", full: "Without stop-gradient", second: "With the second term alone" };

    w.choices("gradient", [
      { label: "stop-gradient", values: { flow: "stop" }, title: "the target is held fixed" },
      { label: "full gradient", values: { flow: "full" }, title: "nothing is held fixed" },
      { label: "second term only", values: { flow: "second" }, title: "the encoder follows only the part that stop-gradient removes" }]);
    w.choices("start, or drag the point", [
      { label: "A (0.6, 0.1)", values: { phi: 0.6, theta: 0.1 }, title: "the source's own start" },
      { label: "B (−0.6, 0.1)", values: { phi: -0.6, theta: 0.1 } },
      { label: "C (1.5, 0.6)", values: { phi: 1.5, theta: 0.6 } },
      { label: "D (0.6, 0.5)", values: { phi: 0.6, theta: 0.5 } }]);
    const plane = w.plot({ name: "plane", title: "Every start and where its orbit goes",
      xlabel: "predictor *φ*", ylabel: "encoder *θ*", x: [-EDGE, EDGE], y: [-EDGE, EDGE],
      equal: true, handles: true, maxWidth: 430, legend: [
        { marker: "area", looks: "f-red tint", label: "collapses" },
        { looks: "s-quiet w2 dash", label: "resting points" },
        { looks: "s-ink w3", label: "orbit" }] });
    const clock = w.plot({ name: "time", title: "The same orbit in time", xlabel: "time *t*",
      ylabel: "weight", x: [0, END], y: [-1.1, 1.1], ratio: 0.85, legend: [
        { looks: "s-ink w3", label: "encoder *θ*" },
        { looks: "s-blue w2 dash", label: "predictor *φ*" },
        { looks: "s-green w2 dot", label: "end of *θ*, closed form" }] });
    w.number("limit", "end of *θ*, closed form");
    w.number("theta", `*θ* at *t* = ${END}, Runge–Kutta`);
    w.number("phi", `*φ* at *t* = ${END}, Runge–Kutta`);

    // Runge and Kutta's method of order four, on the generated right-hand side.
    function orbit(f, phi, theta) {
      const out = { t: [0], phi: [phi], theta: [theta] };
      const at = (p, q) => { const d = f(p, q); return [d[0][0], d[1][0]]; };
      const every = 4, steps = Math.round(END / H);
      for (let n = 1, p = phi, q = theta; n <= steps; n += 1) {
        const [a, b] = at(p, q);
        const [c, d] = at(p + (H / 2) * a, q + (H / 2) * b);
        const [e, g] = at(p + (H / 2) * c, q + (H / 2) * d);
        const [i, j] = at(p + H * e, q + H * g);
        p += (H / 6) * (a + 2 * c + 2 * e + i);
        q += (H / 6) * (b + 2 * d + 2 * g + j);
        if (n % every === 0) {
          out.t.push(n * H);
          out.phi.push(p);
          out.theta.push(q);
        }
      }
      return out;
    }

    // The basin and the field depend on the flow and the size alone: draw them once for each.
    const kept = new Map();
    function ground(flow) {
      const { width, height } = plane.size(), key = `${flow} ${width} ${height}`;
      if (kept.has(key)) return kept.get(key);
      // one row of the picture per pixel; the ends of each run are found by bisection
      const dead = (x, y) => ending(flow, x, y) === 0, cells = 60, cell = (2 * EDGE) / cells;
      const [top, bottom] = [plane.Y(EDGE), plane.Y(-EDGE)];
      let basin = "";
      for (let row = top; row < bottom - 0.5; row += 1) {
        const y = EDGE - ((row + 0.5 - top) / (bottom - top)) * 2 * EDGE, ends = [];
        if (dead(-EDGE, y)) ends.push(-EDGE);
        for (let c = 0; c < cells; c += 1) {
          let [l, r] = [-EDGE + c * cell, -EDGE + (c + 1) * cell];
          const was = dead(l, y);
          if (dead(r, y) === was) continue;
          for (let k = 0; k < 12; k += 1) {
            const m = (l + r) / 2;
            if (dead(m, y) === was) l = m; else r = m;
          }
          ends.push(l);
        }
        if (ends.length % 2) ends.push(EDGE);
        for (let k = 0; k < ends.length; k += 2)
          basin += `M${plane.X(ends[k]).toFixed(2)} ${row}H${plane.X(ends[k + 1]).toFixed(2)}v1H${plane.X(ends[k]).toFixed(2)}Z`;
      }
      let field = "";
      const gap = (2 * EDGE) / 15, long = Math.min(15, (plane.X(gap) - plane.X(0)) * 0.62);
      for (let i = 0; i < 15; i += 1) for (let j = 0; j < 15; j += 1) {
        const p = -EDGE + (i + 0.5) * gap, q = -EDGE + (j + 0.5) * gap;
        const [[u], [v]] = flows[flow](p, q), speed = Math.hypot(u, v);
        if (speed < 1e-6) continue;
        const dx = (u / speed) * long / 2, dy = (-v / speed) * long / 2;
        const [x, y] = [plane.X(p), plane.Y(q)], [tx, ty] = [x + dx, y + dy];
        field += `M${(x - dx).toFixed(1)} ${(y - dy).toFixed(1)}L${tx.toFixed(1)} ${ty.toFixed(1)}`
          + `M${(tx - 0.5 * dx - 0.3 * dy).toFixed(1)} ${(ty - 0.5 * dy + 0.3 * dx).toFixed(1)}L${tx.toFixed(1)} ${ty.toFixed(1)}L${(tx - 0.5 * dx + 0.3 * dy).toFixed(1)} ${(ty - 0.5 * dy - 0.3 * dx).toFixed(1)}`;
      }
      kept.clear();
      kept.set(key, { basin, field });
      return kept.get(key);
    }

    return w.start(() => {
      const flow = w.get("flow"), phi = w.get("phi"), theta = w.get("theta");
      const squared = theta === 0 ? 0 : ending(flow, phi, theta);
      const end = Math.sign(theta) * Math.sqrt(squared);
      const path = orbit(flows[flow], phi, theta), last = path.t.length - 1;
      const endTheta = path.theta[last], endPhi = path.phi[last];

      const { basin, field } = ground(flow);
      plane.shape(basin, "f-red tint", { "data-mark": "basin" });
      plane.shape(field, "s-quiet w1", { "data-mark": "field", opacity: 0.55 });
      plane.line("rest-theta", -EDGE, 0, EDGE, 0, "s-quiet w2 dash");
      plane.line("rest-phi", 1, -EDGE, 1, EDGE, "s-quiet w2 dash");
      plane.text(1, -EDGE, "*φ* = 1", { dx: 5, dy: -7 });
      plane.text(-EDGE, 0, "*θ* = 0", { dx: 5, dy: -6 });
      plane.curve("orbit", path.phi, path.theta, "s-ink w3");
      plane.circle("end", endPhi, endTheta, 5.5, squared > 0 ? "f-green s-ink w1" : "f-red s-ink w1", true);
      plane.handle("start", { at: [phi, theta], looks: "f-blue", step: [0.02, 0.02],
        label: "start of the orbit: arrow keys left and right move the predictor, up and down the encoder",
        valuetext: `predictor ${fixed(phi)}, encoder ${fixed(theta)}`,
        onmove: (x, y) => w.set({ phi: clamp(Number(x.toFixed(2)), -2, 2), theta: clamp(Number(y.toFixed(2)), -2, 2) }) });

      const low = Math.min(0, phi, endPhi, theta, endTheta, ...path.theta), high = Math.max(1, phi, theta, ...path.theta, ...path.phi);
      clock.bounds(null, [low - 0.06 * (high - low), high + 0.06 * (high - low)]);
      clock.line("zero", 0, 0, END, 0, "s-line w1");
      clock.line("limit", 0, end, END, end, "s-green w2 dot");
      clock.curve("phi", path.t, path.phi, "s-blue w2 dash");
      clock.curve("theta", path.t, path.theta, "s-ink w3");
      clock.say(`At time ${END} the predictor is ${show(endPhi)} and the encoder ${show(endTheta)}.`);

      const dustless = (v) => (Math.abs(v) < 5e-5 ? 0 : v); // what rounding leaves of a zero
      const from = `from (${fixed(phi)}, ${fixed(theta)})`;
      const slow = Math.abs(endTheta - end) > 0.02 ? ` It is slow: at *t* = ${END} *θ* is still ${show(endTheta)}.` : "";
      const also = { stop: squared > 0 ? "" : " Stop-gradient does not always save.",
        full: squared > 0 ? " The full gradient does not always collapse." : "", second: "" }[flow];
      const [regime, tone, lead, rest] =
        theta === 0 || phi === 1 ? ["resting", theta === 0 ? "bad" : "good", "The start is a resting point.", theta === 0 ? "The encoder is 0: it gives the predictor nothing to learn from." : "The predictor is 1: the prediction equals the target already."]
        : squared > 0 ? ["survives", "good", "The encoder survives.", `${names[flow]}, the orbit ${from} ends at *φ* = 1 and *θ* = ${show(end, 4)}.${also}${slow}`]
        : ["collapses", "bad", "Collapse.", `${names[flow]}, the encoder goes to 0 ${from}; at *t* = ${END} the predictor is at ${show(dustless(endPhi), 4)}.${also}${slow}`];
      return { regime, tone, caption: [lead, rest],
        numbers: { limit: { value: end, text: show(end, 4) }, theta: { value: endTheta, text: show(dustless(endTheta), 4) }, phi: { value: endPhi, text: show(dustless(endPhi), 4) } } };
    });
  },
};
