// Five students flow to three teacher nodes in the plane: the exact flow of the whole population.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "luck", keys: ["start_angle", "log_start"] });
    const { show, fixed } = kit;
    const TEACHER = [20, 140, 260], OTHERS = [100, 165, 235, 330], END = 60, H = 0.1, EVERY = 5, RING = 1.2;
    const K = TEACHER.length, N = OTHERS.length + 1, NODES = [0, 1, 2, 3, 4], OUTPUTS = [0, 1, 2];
    const rad = (v) => (v * Math.PI) / 180, turn = (v) => ((v % 360) + 360) % 360;
    const at = (v, r = 1) => [r * Math.cos(v), r * Math.sin(v)];

    w.slider({ key: "start_angle", label: "direction of S1 at the start (degrees), or drag the red point", min: 0, max: 360, step: 1, digits: 0,
      ticks: () => [{ label: "on T1", value: 20 }, { label: "halfway T1–T2", value: 80 },
        { label: "halfway T2–T3", value: 200 }, { label: "halfway T3–T1", value: 320 }] });
    w.slider({ key: "log_start", label: "strength of every student at the start, log~10~ *ε*", min: -6, max: 0, step: 0.1, digits: 1,
      ticks: () => [{ label: "10^−6^", value: -6 }, { label: "10^−3^", value: -3 }, { label: "as strong as the teacher", value: 0 }] });
    const plane = w.plot({ name: "plane", title: "Weights of the nodes, from the start to the end", equal: true, handles: true, maxWidth: 380,
      xlabel: "input *x*~1~", ylabel: "input *x*~2~", x: [-1.4, 1.4], y: [-1.4, 1.4],
      legend: [{ looks: "s-blue w3", label: "teacher, T1 to T3" }, { looks: "s-red w3", label: "student S1" },
        { looks: "s-ink w2 dash", label: "students S2 to S5" }, { looks: "f-red", label: "where S1 starts", marker: "dot" }] });
    const bars = w.plot({ name: "parts", title: "Who explains which teacher node in the end", maxWidth: 420, ratio: 0.85,
      xlabel: "teacher node", ylabel: "part explained", x: [0.4, 3.6], y: [0, 1.15],
      legend: [{ looks: "f-red", label: "by S1", marker: "area" }, { looks: "f-quiet tint", label: "by S2 to S5", marker: "area" }] });
    w.number("part_1", "S1's part of T1");
    w.number("part_2", "S1's part of T2");
    w.number("part_3", "S1's part of T3");
    w.number("largest", "largest part of one student where S1 ends");

    // r, direction, fan-out to three outputs, for each student
    const apart = (a, b) => { const d = turn(((b - a) * 180) / Math.PI + 180) - 180; return rad(d); };
    function slope(y) {
      const out = new Array(y.length).fill(0);
      for (const j of NODES) {
        const J = 5 * j, r = y[J];
        for (let k = 0; k < K + N; k += 1) {
          const I = 5 * (k - K), mine = k >= K, long = mine ? y[I] : 1, sign = mine ? -1 : 1;
          const gap = apart(y[J + 1], mine ? y[I + 1] : rad(TEACHER[k])), angle = Math.abs(gap);
          const along = forms.along(angle), across = forms.across(angle) * Math.sign(gap);
          const beta = mine ? OUTPUTS.reduce((s, c) => s + y[J + 2 + c] * y[I + 2 + c], 0) : y[J + 2 + k];
          out[J] += sign * beta * long * along;
          out[J + 1] += (sign * beta * long * across) / r;
          for (const c of OUTPUTS) out[J + 2 + c] += sign * r * long * along * (mine ? y[I + 2 + c] : c === k ? 1 : 0);
        }
      }
      return out;
    }
    const moved = (y, d, h) => y.map((v, i) => v + h * d[i]);
    function flow(angle, log) {
      const r = 10 ** (log / 2), paths = NODES.map(() => [[], []]);
      let y = [angle, ...OTHERS].flatMap((v) => [r, rad(v), ...OUTPUTS.map(() => r / Math.sqrt(K))]);
      for (let n = 0; ; n += 1) {
        if (n % EVERY === 0) for (const j of NODES) {
          const [px, py] = at(y[5 * j + 1], y[5 * j]);
          paths[j][0].push(px);
          paths[j][1].push(py);
        }
        if (n === Math.round(END / H)) break;
        const a = slope(y), b = slope(moved(y, a, H / 2)), c = slope(moved(y, b, H / 2)), d = slope(moved(y, c, H));
        y = y.map((v, i) => v + (H / 6) * (a[i] + 2 * b[i] + 2 * c[i] + d[i]));
      }
      const parts = NODES.map((j) => OUTPUTS.map((k) =>
        (y[5 * j] * y[5 * j + 2 + k] * forms.along(Math.abs(apart(y[5 * j + 1], rad(TEACHER[k]))))) / forms.along(0)));
      return { paths, parts };
    }

    const kept = new Map();
    return w.start(() => {
      const angle = w.get("start_angle"), log = w.get("log_start"), key = `${angle} ${log}`;
      if (!kept.has(key)) {
        if (kept.size > 50) kept.clear();
        kept.set(key, flow(angle, log));
      }
      const { paths, parts } = kept.get(key);

      const circle = kit.range(0, 2 * Math.PI, 91).map((v) => at(v, RING));
      plane.curve("ring", circle.map((p) => p[0]), circle.map((p) => p[1]), "s-line w1");
      TEACHER.forEach((v, k) => {
        const [px, py] = at(rad(v)), [tx, ty] = at(rad(v + 13), 1.05);
        plane.arrow(`teacher-${k + 1}`, 0, 0, px, py, "s-blue w3", "f-blue", 11);
        plane.text(tx, ty, `T${k + 1}`, { anchor: "middle", dy: 5 });
      });
      for (const j of [4, 3, 2, 1, 0]) {
        const [xs, ys] = paths[j], last = xs.length - 1, [ox, oy] = at(rad([angle, ...OTHERS][j]), RING);
        plane.curve(`path-${j + 1}`, xs, ys, j ? "s-ink w2 dash" : "s-red w3");
        plane.circle(`end-${j + 1}`, xs[last], ys[last], j ? 4 : 5, j ? "f-ink" : "f-red");
        if (j) plane.circle(`start-${j + 1}`, ox, oy, 4, "f-ink");
        const [lx, ly] = at(rad([angle, ...OTHERS][j]), 1.32);
        plane.text(lx, ly, `S${j + 1}`, { anchor: "middle", dy: 5 });
      }
      const [hx, hy] = at(rad(angle), RING);
      plane.handle("start", { at: [hx, hy], label: "direction of student S1 at the start", valuetext: `${show(angle)} degrees`,
        looks: "f-red", step: [0.02, 0.02], mark: "start-1",
        onmove: (nx, ny) => { if (nx || ny) w.set({ start_angle: Math.round(turn((Math.atan2(ny, nx) * 180) / Math.PI)) }); } });

      bars.line("one", 0.4, 1, 3.6, 1, "s-quiet w1 dot");
      OUTPUTS.forEach((k) => {
        let low = 0;
        for (const j of NODES) {
          const high = low + Math.max(parts[j][k], 0), x = [k + 0.68, k + 1.32];
          bars.area(`bar-${j + 1}-${k + 1}`, x, [low, low], [high, high], j ? "f-quiet tint" : "f-red");
          bars.line(`part-${j + 1}-${k + 1}`, x[0], high, x[1], high, "s-ink w1");
          if (high - low > 0.1) bars.text(k + 1, (low + high) / 2, `S${j + 1}`, { anchor: "middle", dy: 5 });
          low = high;
        }
      });

      const mine = parts[0], best = mine.indexOf(Math.max(...mine)), part = mine[best];
      const largest = Math.max(...NODES.map((j) => parts[j][best])), name = `T${best + 1}`;
      plane.say(`Student S1 starts at ${show(angle)} degrees; teacher nodes at 20, 140 and 260 degrees.`);
      bars.say(`S1 explains ${show(mine[0])} of T1, ${show(mine[1])} of T2 and ${show(mine[2])} of T3.`);
      const halfway = TEACHER.some((v) => Math.abs(turn(angle - v) - 60) < 1e-9);
      const [regime, tone, lead, rest] =
        halfway ? ["critical", "", "S1 starts halfway between two teacher nodes.", `At first both pull it alike, and what the other students have left over decides. Its parts are ${show(mine[0])} of T1, ${show(mine[1])} of T2 and ${show(mine[2])} of T3. Move it a little to either side.`]
        : part < 0.05 ? ["fades", "bad", "S1 comes too late.", `Others have explained the teacher before S1 had turned; its largest part is ${show(part)}. Where nothing is left to explain, nothing pulls.`]
        : OTHERS.includes(turn(angle)) ? ["critical", "", "S1 starts exactly where another student starts.", `Equal starts stay equal: both have the part ${show(part)} of ${name}.`]
        : part > 0.9 ? ["takes all", "good", `S1 takes ${name} nearly alone.`, `Its part is ${show(part)}. It starts close to ${name}, and large: move the start to smaller strengths, and it has to share more.`]
        : part >= largest - 1e-12 ? ["wins", "good", `S1 wins ${name}, and shares it.`, `Its part is ${show(part)}. Another student turns to ${name} too, and by the time anything is explained both point there. Below a strength of about 10^−3^ a smaller start changes the parts little.`]
        : ["shares", "", `S1 shares ${name} with a luckier student.`, `Its part is ${show(part)}; the largest is ${show(largest)}. The start decides the parts, and both students turn to ${name}. Where little is left to explain, a turn stops on the way.`];
      return { regime, tone, caption: [lead, rest],
        numbers: { part_1: mine[0], part_2: mine[1], part_3: mine[2], largest } };
    });
  },
};
