// Two weights that multiply: both train, or one of them is frozen.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "two_layers", keys: ["a_1", "a_2", "trains"] });
    const { show } = kit;
    const CHI = 1, BEYOND = 1.25, TOP = 3, POINTS = 60;

    w.slider({ key: "a_1", label: "bottom layer at the start *a*~1~(0)", min: 0.2, max: 1.6, step: 0.02,
      ticks: () => [{ label: "balanced", value: w.get("a_2") },
        { label: "half the top", value: w.get("a_2") / 2 }] });
    w.slider({ key: "a_2", label: "top layer at the start *a*~2~(0)", min: 0.2, max: 1.6, step: 0.02,
      ticks: () => [{ label: "balanced", value: w.get("a_1") },
        { label: "half the bottom", value: w.get("a_1") / 2 }] });
    w.choices("which layers train", [
      { label: "both", values: { trains: "both" }, title: "joint training" },
      { label: "bottom alone", values: { trains: "bottom" }, title: "the top layer is frozen" },
      { label: "top alone", values: { trains: "top" }, title: "the bottom layer is frozen" }]);
    const sizes = w.plot({ name: "sizes", title: "The two layers", xlabel: "time *t*",
      ylabel: "size", x: [0, 1], y: [0, 4], maxWidth: 400, legend: [
        { looks: "s-blue w3", label: "bottom *a*~1~" },
        { looks: "s-red w3 dash", label: "top *a*~2~" },
        { looks: "s-ink w1 dot", label: "blow-up *t* if both train" }] });
    const gap = w.plot({ name: "gap", title: "The separation *a*~1~*a*~2~", xlabel: "time *t*",
      ylabel: "separation", x: [0, 1], y: [-1, 2], log: true, maxWidth: 400, legend: [
        { looks: "s-ink w3", label: "as chosen" },
        { looks: "s-green w1", label: "both" },
        { looks: "s-blue w1 dash", label: "bottom alone" },
        { looks: "s-red w1 dot", label: "top alone" }] });
    w.number("blow_up", "blow-up time if both train");
    w.number("difference", "*a*~1~^2^ − *a*~2~^2^ at the start");
    w.number("rate", "growth rate of the separation at the start");
    w.number("tenfold", "time to ten times the separation");

    // sizes of both layers at time t, in each way of training
    const ways = {
      both: (n1, n2, t) => [forms.square(CHI, n1, n2, t), forms.square(CHI, n2, n1, t)],
      bottom: (n1, n2, t) => [forms.frozen(CHI, n1, n2, t), n2],
      top: (n1, n2, t) => [n1, forms.frozen(CHI, n2, n1, t)],
    };
    const separation = (way, n1, n2, t) => way === "both" ? forms.product(CHI, n1, n2, t)
      : Math.sqrt(ways[way](n1, n2, t).reduce((x, y) => x * y));

    return w.start(() => {
      const a1 = w.get("a_1"), a2 = w.get("a_2"), trains = w.get("trains");
      const balanced = Math.abs(a1 - a2) < 1e-9;
      const n1 = a1 * a1, n2 = balanced ? n1 : a2 * a2;
      const end = forms.blow_up(CHI, n1, n2), last = BEYOND * end;
      const even = kit.range(0, last, POINTS);
      const dense = even.map((_, k) => end * (1 - 10 ** ((-4 * k) / (POINTS - 1)))); // up to the pole
      const times = (way) => (way === "both" ? dense : even);
      const here = times(trains), now = here.map((t) => ways[trains](n1, n2, t).map(Math.sqrt));
      const rate = CHI * { both: n1 + n2, bottom: n2, top: n1 }[trains];
      // ten times the separation: on the closed forms, by bisection where no formula is shorter
      let low = 0, high = trains === "both" ? end : Math.log(10) / rate;
      if (trains === "both") for (let k = 0; k < 80; k += 1) {
        const middle = (low + high) / 2;
        if (forms.product(CHI, n1, n2, middle) < 10 * a1 * a2) low = middle; else high = middle;
      }
      const top = TOP * Math.max(a1, a2);
      sizes.bounds([0, last], [0, top]);
      sizes.curve("bottom", here, now.map((s) => s[0]), "s-blue w3");
      sizes.curve("top", here, now.map((s) => s[1]), "s-red w3 dash");
      sizes.line("blow_up", end, 0, end, top, "s-ink w1 dot");
      sizes.say(`Both layers would be infinite at time ${show(end)}.`);
      const floor = Math.log10(a1 * a2);
      gap.bounds([0, last], [floor - 0.2, floor + 3]);
      for (const [way, looks] of [["both", "s-green w1"], ["bottom", "s-blue w1 dash"], ["top", "s-red w1 dot"]])
        gap.curve(way, times(way), times(way).map((t) => Math.log10(separation(way, n1, n2, t))), looks);
      gap.curve("chosen", here, here.map((t) => Math.log10(separation(trains, n1, n2, t))), "s-ink w3");
      gap.line("blow_up", end, floor - 0.2, end, floor + 3, "s-ink w1 dot");
      gap.say(`The separation starts at ${show(a1 * a2)} and is ten times as large at time ${show(high)}.`);

      const who = a1 > a2 ? "bottom" : "top", other = who === "bottom" ? "top" : "bottom";
      const [regime, tone, lead, rest] =
        trains !== "both" ? [`${trains} alone`, "", "One layer: an exponential.",
          `Only the ${trains} layer trains. The separation is a straight line on this logarithmic axis: it grows at the constant rate ${show(rate)} and is finite at every time. The frozen layer sets the speed.`]
        : balanced ? ["critical: balanced", "good", "Balanced.",
          `Both layers are equal and stay equal. They are infinite at *t* = ${show(end)}. Of all starts with this separation it is the slowest; of all with this sum of squares, the fastest.`]
        : [`both, ${who} larger`, "good", "Two layers: infinite in finite time.",
          `The ${who} layer is larger, so the ${other} layer grows faster at first, and their ratio tends to one. Both are infinite at *t* = ${show(end)}. The difference of their squares never changes.`];
      return { regime, tone, caption: [lead, rest],
        numbers: { blow_up: end, difference: n1 - n2, rate, tenfold: high } };
    });
  },
};
