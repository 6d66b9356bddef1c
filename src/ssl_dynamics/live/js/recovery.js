// Two lone students and their teacher: paths in the plane, angle and length over time.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "recovery", keys: ["a_x", "a_y", "b_x", "b_y"] });
    const { show, fixed, clamp } = kit;
    const END = 12, DEG = 180 / Math.PI, GOAL = 1 / DEG, POINTS = 121;
    const TIMES = Array.from({ length: POINTS }, (_, k) => END * (k / (POINTS - 1)) ** 2);

    w.choices("both starts, or drag the points", [
      { label: "equal lengths", values: { a_x: 0.3, a_y: 0.4, b_x: 0, b_y: -0.5 }, title: "A is closer in angle" },
      { label: "closer but longer", values: { a_x: 0.6, a_y: 0.8, b_x: 0, b_y: -0.3 }, title: "A is closer in angle and in distance" },
      { label: "mirror images", values: { a_x: 0.43, a_y: 0.25, b_x: -0.43, b_y: -0.25 }, title: "equal lengths, angles that add up to 180 degrees" },
      { label: "almost opposite", values: { a_x: 0, a_y: 0.5, b_x: -0.6, b_y: -0.01 } },
      { label: "opposite", values: { a_x: 0, a_y: 0.5, b_x: -0.6, b_y: 0 } }]);
    const plane = w.plot({ name: "plane", title: "Weights of the students, and their paths", equal: true, handles: true,
      xlabel: "along the teacher's weights", ylabel: "across", x: [-1.4, 1.4], y: [-1, 1], maxWidth: 460,
      legend: [{ looks: "s-blue w3", label: "student A" }, { looks: "s-red w3 dash", label: "student B" },
        { looks: "f-ink", label: "teacher *w*^∗^", marker: "dot" }] });
    const turn = w.plot({ name: "angle", title: "Angle to the teacher", xlabel: "time *t*", log: true,
      ylabel: "angle *ϑ* (degrees)", x: [0, END], y: [-1, 2.4], maxWidth: 380, ratio: 0.75,
      legend: [{ looks: "s-quiet w2 dot", label: "one degree" }] });
    const size = w.plot({ name: "length", title: "Length of the weights", xlabel: "time *t*",
      ylabel: "length ‖*w*‖", x: [0, END], y: [0, 1.8], maxWidth: 380, ratio: 0.6,
      legend: [{ looks: "s-quiet w2 dot", label: "the teacher's" }] });
    w.number("angle_a", "angle of A (degrees)");
    w.number("angle_b", "angle of B (degrees)");
    w.number("time_a", "time of A to 1°");
    w.number("time_b", "time of B to 1°");
    w.number("early", "ratio of angles A : B at the start");
    w.number("late", "the same ratio late in time");

    function student(x, y) {
      const length = Math.hypot(x, y), start = Math.atan2(Math.abs(y), x), place = [start, length, 1];
      const kind = length === 0 ? "zero" : y !== 0 ? "free" : x > 0 ? "on" : "opposite";
      const angles = TIMES.map((t) => (kind === "zero" ? NaN : kind === "free" ? forms.angle(t, ...place) : start));
      // opposite the teacher the gradient is that of no teacher at all
      const lengths = TIMES.map((t) => (kind === "zero" ? 0 : kind === "opposite" ? length * Math.exp(-t / 2) : forms.norm(t, ...place)));
      const time = kind === "free" ? (start <= GOAL ? 0 : forms.time(GOAL, ...place)) : kind === "on" ? 0 : Infinity;
      return { kind, start, length, angles, lengths, time, sign: y < 0 ? -1 : 1,
        late: kind === "free" ? forms.late(...place) : NaN };
    }

    return w.start(() => {
      const at = { a: [w.get("a_x"), w.get("a_y")], b: [w.get("b_x"), w.get("b_y")] };
      const A = student(...at.a), B = student(...at.b), both = { a: A, b: B };
      const looks = { a: ["s-blue w3", "f-blue"], b: ["s-red w3 dash", "f-red"] };
      plane.line("axis", -1.4, 0, 1.4, 0, "s-line w1");
      plane.circle("teacher", 1, 0, 6, "f-ink");
      plane.text(1, 0, "*w*^∗^", { dx: 9, dy: 18 });
      turn.line("goal", 0, 0, END, 0, "s-quiet w2 dot");
      const top = Math.max(1.2, A.length, B.length) * 1.08;
      size.bounds(null, [0, top]);
      size.line("teacher", 0, 1, END, 1, "s-quiet w2 dot");
      for (const [key, one] of Object.entries(both)) {
        const [line, dot] = looks[key], name = key.toUpperCase();
        if (one.kind !== "zero") {
          plane.curve(`path-${key}`, one.lengths.map((r, k) => r * Math.cos(one.angles[k])),
            one.lengths.map((r, k) => one.sign * r * Math.sin(one.angles[k])), line);
          if (one.start > 0) turn.curve(`angle-${key}`, TIMES, one.angles.map((v) => Math.log10(v * DEG)), line);
        }
        size.curve(`length-${key}`, TIMES, one.lengths, line);
        if (one.time > 0 && one.time <= END) turn.circle(`arrival-${key}`, one.time, 0, 5, dot);
        plane.handle(`start-${key}`, { at: at[key], looks: dot, step: [0.02, 0.02],
          label: `start of student ${name}: arrow keys move it`,
          valuetext: one.kind === "zero" ? "at zero" : `angle ${fixed(one.start * DEG, 0)} degrees, length ${fixed(one.length)}`,
          onmove: (x, y) => w.set({ [`${key}_x`]: clamp(Number(x.toFixed(2)), -1.4, 1.4), [`${key}_y`]: clamp(Number(y.toFixed(2)), -1, 1) }) });
        plane.text(...at[key], name, { dx: 10, dy: -9 });
      }
      const said = (one) => (one.time === Infinity ? "never" : show(one.time));
      plane.say(`Student A starts at ${show(A.start * DEG)} degrees with length ${show(A.length)}, student B at ${show(B.start * DEG)} with ${show(B.length)}.`);
      turn.say(`Time to one degree: A ${said(A)}, B ${said(B)}.`);
      size.say(`At time ${END} the lengths are ${show(A.lengths[POINTS - 1])} and ${show(B.lengths[POINTS - 1])}.`);

      const zero = A.kind === "zero" ? "A" : B.kind === "zero" ? "B" : "";
      const never = A.kind === "opposite" ? "A" : B.kind === "opposite" ? "B" : "";
      const tie = Math.abs(A.time - B.time) < 1e-9, equal = Math.abs(A.start - B.start) < 1e-9;
      const [first, last] = A.time <= B.time ? ["A", "B"] : ["B", "A"];
      const closer = A.start < B.start ? "A" : "B", gap = Math.abs(A.time - B.time);
      const times = `*A* takes ${said(A)} to one degree and *B* ${said(B)}.`;
      const mirrored = Math.abs(A.start + B.start - Math.PI) < 1e-9 && Math.abs(A.length - B.length) < 1e-9 && A.kind === "free" && B.kind === "free";
      const ahead = !(A.late > 0 && B.late > 0) ? "" : mirrored ? " The ratio of the two angles ends exactly where it began." : "";
      const [regime, tone, lead, rest] =
        zero ? ["zero", "bad", `Student ${zero} has no direction.`, "At zero weights there is no angle, and the ReLU has no derivative there."]
        : never ? ["never", "bad", `Student ${never} never arrives.`, `It starts opposite the teacher. No input opens both, so nothing turns it; its weights fade to zero like *e*^−*t*/2^. The slightest turn would save it.`]
        : tie ? ["tie", "", "Both arrive at the same time.", times]
        : equal ? ["shorter first", "good", `Student ${first} arrives first: it is shorter.`, `The angles are the same. ${times} Short weights are turned faster.`]
        : first === closer ? ["closer first", "good", `The closer student, ${first}, arrives first.`, `${times} Its head start is ${show(gap)}.${ahead}`]
        : ["closer later", "bad", `The closer student, ${closer}, arrives last.`, `${times} ${first} starts at the larger angle, but is shorter, and short weights are turned faster.`];
      return { regime, tone, caption: [lead, rest], numbers: {
        angle_a: A.start * DEG, angle_b: B.start * DEG,
        time_a: { value: A.time, text: said(A) }, time_b: { value: B.time, text: said(B) },
        early: A.start / B.start, late: A.late / B.late } };
    });
  },
};
