// A matched and an irrelevant node: the path of their fan-outs in the valley of the loss, and in time.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "flat_minima", keys: ["turned", "matched_start", "other_start"] });
    const { show, range } = kit, rad = (v) => (v * Math.PI) / 180;

    w.slider({ key: "turned", label: "angle *ϑ* of the irrelevant node to the matched one (degrees)", min: 0, max: 180, step: 1, digits: 0,
      ticks: () => [{ label: "copy", value: 0 }, { label: "10 degrees", value: 10 }, { label: "right angle", value: 90 }, { label: "opposite", value: 180 }] });
    w.slider({ key: "matched_start", label: "fan-out *v*~1~ of the matched node at the start", min: -1, max: 2, step: 0.05,
      ticks: () => [{ label: "nothing", value: 0 }, { label: "as the teacher", value: 1 }] });
    w.slider({ key: "other_start", label: "fan-out *v*~2~ of the irrelevant node at the start", min: -1, max: 2, step: 0.05,
      ticks: () => [{ label: "zero", value: 0 }, { label: "one", value: 1 }] });
    const plane = w.plot({ name: "valley", title: "The loss over the two fan-outs, and the way down", equal: true, maxWidth: 360,
      xlabel: "matched *v*~1~", ylabel: "irrelevant *v*~2~", x: [-1.2, 2.2], y: [-1.2, 2.2],
      legend: [{ looks: "s-quiet w1", label: "equal loss" }, { looks: "s-red w3", label: "way down" },
        { looks: "f-blue", label: "the teacher, (1, 0)", marker: "dot" }] });
    const course = w.plot({ name: "course", title: "Fan-outs over time", maxWidth: 420, ratio: 0.8,
      xlabel: "time *t*, as log~10~ *t*", ylabel: "fan-out", x: [-1, 4], y: [-1.2, 2.2],
      legend: [{ looks: "s-blue w3", label: "matched, *v*~1~" }, { looks: "s-red w3 dash", label: "irrelevant, *v*~2~" },
        { looks: "s-quiet w1 dot", label: "one over the slow rate" }] });
    w.number("rate", "slow rate");
    w.number("fast", "fast rate");
    w.number("end", "irrelevant fan-out at the end");
    w.number("highest", "its largest size on the way");

    return w.start(() => {
      const angle = rad(w.get("turned")), a = w.get("matched_start"), b = w.get("other_start");
      const mixed = forms.overlap(angle), copy = w.get("turned") === 0, e = a - 1;
      const slow = copy ? 0 : forms.rate(angle), fast = 1 - slow;
      const other = (t) => forms.fan_out(t, mixed, e, b), matched = (t) => 1 + forms.fan_out(t, mixed, b, e);
      const logs = range(-1, 4, 201), times = [0, ...logs.map((v) => 10 ** v)];
      const end = copy ? (b - e) / 2 : 0, highest = Math.max(...times.map((t) => Math.abs(other(t))), Math.abs(end));

      // ellipses: loss = slow * p^2 / 2 + fast * q^2 / 2 with p along (1, -1), q along (1, 1)
      const turns = range(0, 2 * Math.PI, 97);
      [0.01, 0.05, 0.15, 0.4].forEach((level, k) => {
        const p = Math.sqrt((2 * level) / Math.max(slow, 1e-3)), q = Math.sqrt((2 * level) / fast);
        const xs = turns.map((s) => 1 + (p * Math.cos(s) + q * Math.sin(s)) / Math.SQRT2);
        const ys = turns.map((s) => (-p * Math.cos(s) + q * Math.sin(s)) / Math.SQRT2);
        plane.curve(`level-${k + 1}`, xs, ys, "s-quiet w1");
      });
      plane.line("axis", -1.2, 0, 2.2, 0, "s-line w1");
      if (copy) plane.line("floor", -0.2 - 1, 1.2 + 1, 2.2, -1.2, "s-quiet w2 dash");
      plane.curve("path", times.map(matched), times.map(other), "s-red w3");
      plane.circle("teacher", 1, 0, 6, "f-blue");
      plane.circle("start", a, b, 5, "f-ink");
      plane.text(a, b, "start", { dx: 8, dy: -8 });
      course.line("zero", -1, 0, 4, 0, "s-line w1");
      course.curve("matched", logs, logs.map((v) => matched(10 ** v)), "s-blue w3");
      course.curve("other", logs, logs.map((v) => other(10 ** v)), "s-red w3 dash");
      if (!copy && slow > 1e-4) course.line("lifetime", -Math.log10(slow), -1.2, -Math.log10(slow), 2.2, "s-quiet w1 dot");
      plane.say(`The loss has its minimum at matched fan-out 1 and irrelevant fan-out 0. The path starts at ${show(a)} and ${show(b)}.`);
      course.say(`The irrelevant fan-out starts at ${show(b)}, is at most ${show(highest)} in size and ends at ${show(end)}.`);

      const settled = Math.abs(e) < 1e-9 && Math.abs(b) < 1e-9, life = `The slow mode lasts for a time of ${show(1 / slow)}.`;
      const borrows = highest > Math.abs(b) + 1e-6;
      const [regime, tone, lead, rest] =
        copy ? ["critical: copy", "bad", "A copy keeps its fan-out.", `The valley is level: only the sum of the two fan-outs is pulled to 1. The irrelevant node ends at ${show(end)} and stays there for ever.`]
        : settled ? ["at rest", "good", "At the teacher already.", "Both fan-outs are where they end, so nothing moves, whatever the angle."]
        : w.get("turned") === 180 ? ["opposite", "good", "Opposite nodes do not meet.", "No input opens both, so each fan-out goes its way at the same rate, one half."]
        : w.get("turned") <= 15 ? ["slow", "bad", "Almost a copy: it fades, but hardly so.", `At this angle the rate is about the squared angle over four. ${life}`]
        : borrows ? ["borrows", "", "It borrows first.", `The irrelevant fan-out grows to a size of ${show(highest)}, a part of the matched node's task, before it fades. ${life}`]
        : ["fades", "good", "The fan-out fades.", `It goes to zero from here, whatever the start. ${life}`];
      return { regime, tone, caption: [lead, rest], numbers: { rate: slow, fast, end, highest } };
    });
  },
};
