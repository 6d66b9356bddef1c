// The best of many draws against the best of a few fresh ones: angle at the start, and time.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "lottery", keys: ["tickets", "fresh", "inputs"] });
    const { show, fixed } = kit;
    const DEG = 180 / Math.PI, GOAL = 5 / DEG, START = 0.22, POINTS = 181;
    const ANGLES = Array.from({ length: POINTS }, (_, k) => (k / (POINTS - 1)) * Math.PI);

    w.slider({ key: "tickets", label: "nodes of the wide student *n*~s~", min: 1, max: 200, step: 1, digits: 0,
      ticks: () => [{ label: "one", value: 1 }, { label: "as many as fresh", value: w.get("fresh") }, { label: "100", value: 100 }] });
    w.slider({ key: "fresh", label: "fresh nodes *n*~r~", min: 1, max: 50, step: 1, digits: 0,
      ticks: () => [{ label: "one", value: 1 }, { label: "20", value: 20 }] });
    w.slider({ key: "inputs", label: "number of inputs *n*~0~", min: 2, max: 60, step: 1, digits: 0,
      ticks: () => [{ label: "plane", value: 2 }, { label: "space", value: 3 }, { label: "20", value: 20 }] });
    const legend = [{ looks: "s-blue w3", label: "best of the wide student" }, { looks: "s-red w3 dash", label: "best of the fresh nodes" }];
    const chance = w.plot({ name: "chance", title: "Probability that the best starts within an angle", maxWidth: 420,
      xlabel: "angle *ϑ* (degrees)", ylabel: "probability", x: [0, 180], y: [0, 1.02], legend });
    const clock = w.plot({ name: "clock", title: "Time from an angle to five degrees", maxWidth: 420,
      xlabel: "angle at the start (degrees)", ylabel: "time *t*", x: [0, 180], y: [0, 6],
      legend: [{ looks: "s-quiet w2", label: "one node, solved" }, { looks: "f-blue", label: "middle start, wide", marker: "dot" },
        { looks: "f-red", label: "middle start, fresh", marker: "dot" }] });
    w.number("again", "fresh ones are luckier, probability");
    w.number("ratio", "time of fresh : of wide");
    w.number("angle_wide", "middle angle, wide (degrees)");
    w.number("angle_fresh", "middle angle, fresh (degrees)");
    w.number("time_wide", "time from there, wide");
    w.number("time_fresh", "time from there, fresh");

    // probability that one direction lies within the angle: integrals of powers of the sine
    function within(angle, inputs) {
      const integral = (end) => {
        let value = inputs % 2 ? 1 - Math.cos(end) : end;
        for (let power = 2 + (inputs % 2); power <= inputs - 2; power += 2) value = forms.sine(power, value, end);
        return value;
      };
      return Math.min(1, Math.max(0, integral(angle) / integral(Math.PI)));
    }
    const best = (angle, inputs, count) => forms.one(within(angle, inputs), count);
    function middle(inputs, count) {
      let low = 0, high = Math.PI;
      for (let k = 0; k < 60; k += 1) {
        const mid = (low + high) / 2;
        if (best(mid, inputs, count) < 0.5) low = mid; else high = mid;
      }
      return (low + high) / 2;
    }
    const time = (angle) => (angle <= GOAL ? 0 : forms.time(GOAL, angle, START, 1));

    return w.start(() => {
      const wide = w.get("tickets"), fresh = w.get("fresh"), inputs = w.get("inputs");
      const degrees = ANGLES.map((v) => v * DEG), within_ = ANGLES.map((v) => within(v, inputs));
      chance.curve("wide", degrees, within_.map((p) => forms.one(p, wide)), "s-blue w3");
      chance.curve("fresh", degrees, within_.map((p) => forms.one(p, fresh)), "s-red w3 dash");
      chance.line("half", 0, 0.5, 180, 0.5, "s-quiet w1 dot");
      const a = middle(inputs, wide), b = middle(inputs, fresh), again = forms.again(fresh, wide);
      chance.circle("middle-wide", a * DEG, 0.5, 5, "f-blue");
      chance.circle("middle-fresh", b * DEG, 0.5, 5, "f-red");
      const shown = ANGLES.slice(0, -5);
      clock.curve("time", shown.map((v) => v * DEG), shown.map(time), "s-quiet w2");
      clock.circle("start-wide", a * DEG, time(a), 6, "f-blue");
      clock.circle("start-fresh", b * DEG, time(b), 6, "f-red");
      const there = [a, b].map((v) => time(v) === 0);
      const ratio = there[0] && there[1] ? 1 : time(b) / time(a), gain = Math.round(100 * (Math.max(ratio, 1 / ratio) - 1));
      chance.say(`The best of ${wide} nodes starts within ${show(a * DEG)} degrees in half of all cases, the best of ${fresh} fresh ones within ${show(b * DEG)}.`);
      clock.say(`From there it takes ${show(time(a))} and ${show(time(b))} to five degrees.`);

      const chances = `The best of ${fresh} fresh nodes is luckier than the best of ${wide} with probability ${fixed(again, 2)}, in any number of inputs.`;
      const worth = there[0] && there[1] ? "Both middle starts are within five degrees already."
        : there[0] ? "The wide student's best is there from the start."
        : there[1] ? "The fresh nodes' best is there from the start." : `From the middle angles the ${fresh < wide ? "fresh" : "wide student's"} best takes ${gain} % longer.`;
      const often = again < 0.25 ? "rare" : "less likely than not";
      const [regime, tone, lead] =
        fresh === wide ? ["critical", "", "As many fresh nodes: an even chance."]
        : fresh > wide ? ["more fresh", "good", "More fresh nodes than the student had."]
        : ratio < 1.25 ? [`${often}, of little worth`, "", `More luck is ${often}, and worth little time.`]
        : [`${often}, of worth`, "good", `More luck is ${often}, and worth some time.`];
      return { regime, tone, caption: [lead, `${chances} ${fresh === wide ? "Both take the same time in the middle." : worth}`], numbers: {
        again, ratio: { value: ratio, text: Number.isFinite(ratio) ? show(ratio) : "∞" }, angle_wide: a * DEG, angle_fresh: b * DEG,
        time_wide: time(a), time_fresh: time(b) } };
    });
  },
};
