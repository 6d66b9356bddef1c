// Variances of three levels and of the views, and the time at which each level is resolved.
export default {
  render({ model, el }) {
    const LEVELS = ["super", "class", "sample"];
    const NAMES = { super: "super-class", class: "class", sample: "sample" };
    const LOOKS = { super: ["s-blue w3", "f-blue"], class: ["s-red w3 dash", "f-red"], sample: ["s-green w3 dashdot", "f-green"] };
    const w = kit.widget({ model, el, name: "collapse_levels",
      keys: ["invariance", ...LEVELS.map((l) => `kept_${l}`), ...LEVELS.map((l) => `moved_${l}`)] });
    const { show, fixed, clamp, range } = kit;
    const LOW = -3, HIGH = 1, WEIGHT = 1e-4, FIRST = -1, LAST = 4, CLOSE = 0.02;
    const clocks = range(FIRST, LAST, 151);
    const even = { moved_super: -2, moved_class: -2, moved_sample: -2 };
    const tree = { kept_super: -0.38, kept_class: -0.78, kept_sample: -1.08 };
    w.choices("examples", [
      { label: "balanced tree", values: { invariance: 1, ...tree, ...even }, title: "even noise, equal weights" },
      { label: "coarse levels shaken", values: { invariance: 2, ...tree, moved_super: -0.4, moved_class: -0.91, moved_sample: -2 }, title: "twice the weight on the invariance" },
      { label: "shaken, equal weights", values: { invariance: 1, ...tree, moved_super: -0.4, moved_class: -0.91, moved_sample: -2 } },
      { label: "too much", values: { invariance: 2, ...tree, moved_super: -0.3, moved_class: -0.7, moved_sample: -2 }, title: "more noise than the levels can bear" },
      { label: "all the same", values: { invariance: 1, kept_super: -0.78, kept_class: -0.78, kept_sample: -0.78, ...even } }]);
    w.slider({ key: "invariance", label: "weight of the invariance *μ*~s~, with *μ*~v~ = 1", min: 0.5, max: 3, step: 0.05,
      ticks: () => [{ label: "half", value: 0.5 }, { label: "equal", value: 1 }, { label: "twice", value: 2 }] });
    const plane = w.plot({ name: "variances", title: "Variances of the three levels: drag the dots", log: true, handles: true,
      xlabel: "level", ylabel: "variance", x: [0.5, 3.5], y: [LOW, HIGH], maxWidth: 380, ratio: 0.8,
      legend: [{ looks: "f-ink", label: "between images *λ*~V~", marker: "dot" },
        { looks: "f-quiet", label: "between views *λ*~I~", marker: "dot" },
        { looks: "s-ink w2 dot", label: "noise at which the level dies" }] });
    const course = w.plot({ name: "course", title: "How much of its end each level has reached",
      xlabel: "time *t* (power of ten)", ylabel: "share of its end", x: [FIRST, LAST], y: [0, 1.05], maxWidth: 420, ratio: 0.7,
      legend: LEVELS.map((l) => ({ looks: LOOKS[l][0], label: NAMES[l] })) });
    for (const l of LEVELS) w.number(`time_${l}`, `half time, ${NAMES[l]}`);
    for (const l of LEVELS) w.number(`end_${l}`, `variance in the end, ${NAMES[l]}`);
    w.number("tie", "*λ*~I~ of the super-class at its tie with the sample");

    return w.start(() => {
      const weight = w.get("invariance"), numbers = {}, found = {};
      LEVELS.forEach((l, k) => {
        const kept = 10 ** w.get(`kept_${l}`), moved = 10 ** w.get(`moved_${l}`), place = [kept, moved, weight, 1];
        const rate = forms.rate(...place), end = forms.end(...place), start = WEIGHT * (kept + moved);
        const lives = rate > 0 && end > 2 * start;
        const time = lives ? forms.time(0.5, start, ...place) : Infinity;
        found[l] = { kept, moved, time, rate };
        numbers[`time_${l}`] = time;
        numbers[`end_${l}`] = lives ? end : 0;
        if (lives) course.curve(l, clocks, clocks.map((c) => forms.course(10 ** c, start, ...place) / end), LOOKS[l][0]);
        if (time < 10 ** LAST) course.circle(`half-${l}`, Math.log10(time), 0.5, 5, LOOKS[l][1]);
        // the level dies where mu_s lambda_I = lambda_V + lambda_I
        if (weight > 1) {
          const edge = clamp(Math.log10(kept / (weight - 1)), LOW, HIGH);
          plane.line(`edge-${l}`, k + 0.75, edge, k + 1.25, edge, "s-ink w2 dot");
        }
        plane.text(k + 1, LOW, NAMES[l], { anchor: "middle", dy: -8 });
        for (const [kind, dx, looks, words] of [["kept", -0.13, LOOKS[l][1], "variance between images"], ["moved", 0.13, "f-quiet", "variance between views"]]) {
          const key = `${kind}_${l}`, value = w.get(key);
          plane.handle(key, { at: [k + 1 + dx, value], looks, step: [0, 0.05],
            label: `${words}, ${NAMES[l]} level: up and down arrow keys move it`, valuetext: show(10 ** value),
            onmove: (_, y) => w.set({ [key]: clamp(Number(y.toFixed(2)), LOW, HIGH) }) });
        }
      });
      const tie = weight === 1 ? NaN : forms.tie(found.super.kept, found.sample.kept, found.sample.moved, weight, 1);
      numbers.tie = tie;
      plane.say(LEVELS.map((l) => `${NAMES[l]}: between images ${show(found[l].kept)}, between views ${show(found[l].moved)}.`).join(" "));
      course.say(LEVELS.map((l) => `${NAMES[l]}: half time ${show(found[l].time)}.`).join(" "));

      const lasting = LEVELS.filter((l) => found[l].time < Infinity).sort((a, b) => found[a].time - found[b].time);
      const dead = LEVELS.filter((l) => found[l].time === Infinity);
      const said = lasting.map((l) => NAMES[l]).join(", ");
      const gone = dead.length ? ` Not resolved at all: ${dead.map((l) => NAMES[l]).join(", ")}; the noise of its views, at this weight, is more than it can bear.` : "";
      const spread = lasting.length ? found[lasting.at(-1)].time / found[lasting[0]].time : 1;
      const noise = weight === 1 ? "At equal weights the noise of the views changes no rate, only the ends."
        : weight > 1 ? "The invariance weighs more than the variance: noise slows a level down."
        : "The invariance weighs less than the variance: noise speeds a level up.";
      const side = weight === 1 ? "critical: equal weights, " : weight > 1 ? "noise slows, " : "noise speeds, ";
      const [order, tone, lead] =
        !lasting.length ? ["nothing", "bad", "No level is resolved."]
        : lasting.length > 1 && spread < 1 + CLOSE ? ["together", "", "All of them at the same time."]
        : lasting[0] === "sample" ? ["sample first", "good", `The sample comes first: ${said}.`]
        : lasting[0] === "super" ? ["super-class first", "", `The super-class comes first: ${said}.`]
        : ["class first", "", `The class comes first: ${said}.`];
      return { regime: side + order, tone, caption: [lead, `${noise}${gone}`], numbers };
    });
  },
};
