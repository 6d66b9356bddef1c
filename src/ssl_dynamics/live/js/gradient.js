// One student node among the nodes of its layer: who pulls it, who pushes, with which coefficients.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "gradient", keys: ["input_angle", "node_angle"] });
    const { show } = kit;
    const TEACHER = [20, 140], UP = [[1, -0.7], [-0.6, 1]], TOP = [[1, 0.8], [-0.3, 1]], PAIR = [0, 1];
    const turn = (v) => ((v % 360) + 360) % 360, rad = (v) => (v * Math.PI) / 180;
    const at = (v, r = 1) => [r * Math.cos(rad(v)), r * Math.sin(rad(v))];

    w.slider({ key: "input_angle", label: "direction of the input (degrees)", min: 0, max: 360, step: 1, digits: 0,
      ticks: () => [{ label: "along the node", value: w.get("node_angle") },
        { label: "node closes", value: turn(w.get("node_angle") + 90) }, { label: "teacher closed", value: 260 }] });
    w.slider({ key: "node_angle", label: "direction of student node S1 (degrees)", min: 0, max: 360, step: 1, digits: 0,
      ticks: () => [{ label: "as T1", value: TEACHER[0] }, { label: "as T2", value: TEACHER[1] },
        { label: "opposite T1", value: TEACHER[0] + 180 }] });
    const plane = w.plot({ name: "plane", title: "The first layer: directions of weights and of the input", equal: true, maxWidth: 340,
      xlabel: "input *x*~1~", ylabel: "input *x*~2~", x: [-1.25, 1.25], y: [-1.25, 1.25],
      legend: [{ looks: "s-blue w3", label: "teacher, T1 and T2" }, { looks: "s-red w3", label: "student, S1" },
        { looks: "s-red w2 dash", label: "S2, same as T2" }, { looks: "f-ink", label: "input", marker: "dot" }] });
    const bars = w.plot({ name: "terms", title: "Terms of the gradient at S1", maxWidth: 420, ratio: 0.8,
      xlabel: "node of the layer, and the sum", ylabel: "term", x: [0.4, 5.6], y: [-2.2, 2.2],
      legend: [{ looks: "f-blue", label: "teacher's nodes, with a plus", marker: "area" },
        { looks: "f-red", label: "student's nodes, with a minus", marker: "area" },
        { looks: "f-ink", label: "sum: the gradient", marker: "area" }] });
    w.number("gradient", "gradient at S1");
    w.number("beta_1", "coefficient of T1");
    w.number("beta_2", "coefficient of T2");
    w.number("own_1", "coefficient of S1");
    w.number("own_2", "coefficient of S2");

    // activations and gates of both layers, for weights at these angles
    function pass(angles, input) {
      const open = (h) => (h > 1e-9 ? 1 : 0), h = angles.map((v) => Math.cos(rad(v - input)));
      const f = h.map((v) => (open(v) ? forms.output(v, 0, 0, 0) : 0));
      return { h, f, gates: h.map(open), above: UP.map((row) => open(row[0] * f[0] + row[1] * f[1])) };
    }
    // coefficient of student node 1 with node k: the recursion, once from the outputs and once more
    function coefficient(student, other, k) {
      let sum = 0;
      for (const i of PAIR) for (const m of PAIR) {
        const top = PAIR.reduce((s, c) => s + forms.path(TOP[c][i], 1, 1, 1, TOP[c][m]), 0);
        sum += forms.path(UP[i][0], student.above[i], top, other.above[m], UP[m][k]);
      }
      return sum;
    }

    return w.start(() => {
      const input = w.get("input_angle"), angle = w.get("node_angle");
      const teacher = pass(TEACHER, input), student = pass([angle, TEACHER[1]], input);
      const pull = PAIR.map((k) => coefficient(student, teacher, k)), own = PAIR.map((k) => coefficient(student, student, k));
      const terms = [...PAIR.map((k) => forms.pull(student.gates[0], pull[k], teacher.f[k])),
        ...PAIR.map((k) => -forms.pull(student.gates[0], own[k], student.f[k]))];
      const sum = terms.reduce((s, v) => s + v, 0);

      const [ex, ey] = at(angle + 90, 2), [fx, fy] = at(angle - 90, 2);
      plane.line("edge", ex, ey, fx, fy, "s-quiet w1 dot");
      TEACHER.forEach((v, k) => {
        const [px, py] = at(v), [tx, ty] = at(v, 1.12);
        plane.arrow(`teacher-${k + 1}`, 0, 0, px, py, "s-blue w3", "f-blue", 11);
        plane.text(tx, ty, `T${k + 1}`, { anchor: "middle", dy: 5 });
      });
      const [sx, sy] = at(angle, 0.8), [ux, uy] = at(TEACHER[1], 0.8), [ix, iy] = at(input);
      plane.arrow("student-2", 0, 0, ux, uy, "s-red w2 dash", "f-red", 10);
      plane.arrow("student-1", 0, 0, sx, sy, "s-red w3", "f-red", 11);
      plane.text(sx, sy, "S1", { anchor: "middle", dx: 14, dy: 14 });
      plane.circle("input", ix, iy, 6, "f-ink");

      bars.line("zero", 0.4, 0, 5.6, 0, "s-line w1");
      [...terms, sum].forEach((v, k) => {
        const looks = k < 2 ? "f-blue" : k < 4 ? "f-red" : "f-ink", name = ["T1", "T2", "S1", "S2", "sum"][k];
        bars.area(`bar-${k + 1}`, [k + 0.68, k + 1.32], [Math.min(0, v), Math.min(0, v)], [Math.max(0, v), Math.max(0, v)], looks);
        bars.circle(`term-${k + 1}`, k + 1, v, 3.5, looks, true);
        bars.text(k + 1, v, name, { anchor: "middle", dy: v < 0 ? 18 : -8 });
      });
      plane.say(`The input is at ${show(input)} degrees, student node 1 at ${show(angle)}; the teacher's nodes are at 20 and 140.`);
      bars.say(`Terms: T1 ${show(terms[0])}, T2 ${show(terms[1])}, S1 ${show(terms[2])}, S2 ${show(terms[3])}; sum ${show(sum)}.`);

      const same = Math.abs(angle - TEACHER[0]) < 1e-9, kink = Math.abs(student.h[0]) < 1e-9;
      const heard = student.above[0] || student.above[1], nobody = !teacher.f[0] && !teacher.f[1];
      const pulls = `T1 adds ${show(terms[0])} and T2 ${show(terms[1])}; S1 itself adds ${show(terms[2])} and S2 ${show(terms[3])}.`;
      const [regime, tone, lead, rest] =
        kink ? ["critical", "", "The gate of S1 closes here.", "The pre-activation is zero. From here on into the closed half S1 is told nothing."]
        : same ? ["copy", "good", "A copy is told nothing.", "The student has the teacher's weights. The sums of the teacher and of the student cancel at every input."]
        : !student.gates[0] ? ["closed", "bad", "S1 is closed and told nothing.", "Its gate stands in front of the sum. At this input no node of the teacher can reach it, whatever the coefficients."]
        : !heard ? ["unheard", "bad", "S1 is open, but no output hears it.", "The gates of the layer above are closed in the student, so all coefficients of S1 are zero."]
        : nobody ? ["teacher closed", "", "No node of the teacher pulls.", `T1 and T2 are closed at this input. What is left are the terms of the student's own nodes, ${show(sum)} in all.`]
        : Math.abs(sum) < 1e-9 ? ["balance", "good", "Pull and push cancel.", pulls]
        : sum > 0 ? ["up", "good", "In all, S1 is pulled up.", pulls]
        : ["down", "", "In all, S1 is pushed down.", pulls];
      return { regime, tone, caption: [lead, rest],
        numbers: { gradient: sum, beta_1: pull[0], beta_2: pull[1], own_1: own[0], own_2: own[1] } };
    });
  },
};
