// One neuron on a ring of seven sites: its weights, its gates, and its class difference in time.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "one_neuron", keys: ["neuron", "mean", "spread"] });
    const { show, fixed } = kit;
    const XI = [0.9, -0.4, -1.1, 0.6, 1.3, -0.3, -1.0], SITES = 7, END = 30, H = 0.01, EVERY = 25;
    const KAPPA = 2, PRIOR = 0.5;
    const pairs = [1, 2].flatMap((step) => XI.map((v, p) => v + XI[(p + step) % SITES]));
    const lowest = Math.min(...pairs), highest = Math.max(...pairs);
    // the fluctuation at which the first gate changes: closes if the mean is positive, else opens
    const critical = () => {
      const mean = w.get("mean");
      return mean > 0 ? forms.first_flip(mean, lowest) : mean < 0 ? forms.first_flip(mean, highest) : 0;
    };

    w.choices("neuron", [
      { label: "ReLU", values: { neuron: "relu" }, title: "a gate for every picture" },
      { label: "linear", values: { neuron: "linear" }, title: "all gates open for ever" }]);
    w.slider({ key: "mean", label: "mean of the weights *w̄*", min: -1, max: 1, step: 0.01,
      ticks: () => [{ label: "zero", value: 0 }] });
    w.slider({ key: "spread", label: "size of the fluctuations *s*", min: 0, max: 3, step: 0.01,
      ticks: () => [{ label: "none", value: 0 }, { label: "first flip", value: critical() }] });
    const bars = w.plot({ name: "weights", title: "The weights, site by site", xlabel: "site",
      ylabel: "weight", x: [-0.5, 6.5], y: [-3, 5], maxWidth: 400, legend: [
        { marker: "dot", looks: "f-paper s-ink w1", label: "at the start" },
        { marker: "dot", looks: "f-blue", label: `at *t* = ${END}` }] });
    const clock = w.plot({ name: "time", title: "What tells the objects apart", xlabel: "time *t*",
      ylabel: "class difference *D*", x: [0, END], y: [-1, 1], maxWidth: 400, legend: [
        { looks: "s-ink w3", label: "the flow" },
        { looks: "s-green w2 dash", label: "closed form, gates of the start held" }] });
    w.number("open", "gates open at the start");
    w.number("start", "*D* at the start");
    w.number("rate", "its growth rate");
    w.number("end", `*D* at *t* = ${END}`);

    // u and D: class 1 is "11", class 0 is "101"
    function gap(weights, relu) {
      const u = Array(SITES).fill(0);
      let open = 0;
      for (const [step, sign] of [[1, 1], [2, -1]]) for (let p = 0; p < SITES; p += 1) {
        const q = (p + step) % SITES;
        if (relu && !(weights[p] + weights[q] > 1e-12)) continue;  // a gate at zero is closed
        open += 1;
        u[p] += sign / SITES;
        u[q] += sign / SITES;
      }
      // whole numbers: a zero is a zero
      for (let p = 0; p < SITES; p += 1) u[p] = Math.round(u[p] * SITES) / SITES;
      return { u, open, D: u.reduce((sum, v, p) => sum + v * weights[p], 0),
        square: u.reduce((sum, v) => sum + v * v, 0) };
    }

    return w.start(() => {
      const relu = w.get("neuron") === "relu", mean = w.get("mean"), s = w.get("spread");
      const start = XI.map((v) => mean + s * v), first = gap(start, relu);
      const rate = forms.rate(KAPPA, PRIOR, first.square);
      const path = { t: [0], D: [first.D], held: [first.D] };
      let weights = start, here = first;
      for (let n = 1; n <= Math.round(END / H); n += 1) {
        const push = H * KAPPA * PRIOR * (1 - PRIOR) * here.D, u = here.u;
        weights = weights.map((v, p) => v + push * u[p]);
        here = gap(weights, relu);
        if (n % EVERY) continue;
        path.t.push(n * H);
        path.D.push(here.D);
        path.held.push(forms.growth(first.D, KAPPA, PRIOR, first.square, n * H));
      }
      const sites = [...XI.keys()];
      const all = [0, ...start, ...weights], [low, high] = [Math.min(...all), Math.max(...all)];
      const air = 0.08 * Math.max(high - low, 0.5);
      bars.bounds(null, [low - air, high + air]);
      bars.line("zero", -0.5, 0, 6.5, 0, "s-quiet w1");
      sites.forEach((p) => {
        bars.line(`move-${p}`, p, start[p], p, weights[p], "s-blue w2");
        bars.circle(`start-${p}`, p, start[p], 5, "f-paper s-ink w1");
        bars.circle(`end-${p}`, p, weights[p], 4, "f-blue");
      });
      bars.say(`Weights at the start: ${start.map((v) => fixed(v)).join(", ")}.`);
      const most = Math.max(...path.D.map(Math.abs), 0.05);
      const top = 1.15 * Math.min(Math.max(most, ...path.held.map(Math.abs)), 1.7 * most);
      const silent = Math.abs(first.D) < 1e-12;
      clock.bounds(null, silent ? [-1, 1] : first.D < 0 ? [-top, 0.1 * top] : [-0.1 * top, top]);
      clock.line("zero", 0, 0, END, 0, "s-line w1");
      clock.curve("gap", path.t, path.D, "s-ink w3");
      clock.curve("held", path.t, path.held, "s-green w2 dash");
      clock.say(`The class difference goes from ${show(first.D)} to ${show(here.D)}.`);

      const edge = critical(), words = `${first.open} of 14 gates are open`;
      const asleep = first.square === 0;
      const [regime, tone, lead, rest] =
        !relu ? ["linear", "bad", "Nothing happens.", "A linear neuron averages both objects to the same grey, whatever its weights are: the operator is zero."]
        : Math.abs(s - edge) < 1e-9 && edge > 0 ? ["critical", "", "On the edge.", `At *s* = ${show(edge, 4)} the first pre-activation is zero, and so is *D*. With a little more *s* that input is ${mean > 0 ? "negative" : "positive"}, the objects differ, and the neuron learns.`]
        : asleep ? [first.open ? (first.open === 14 ? "open" : "mixed") : "closed", "bad", "Nothing happens.", `${words}, and the operator is zero.${first.open % 14 ? " Fluctuations are no guarantee." : edge > 0 ? ` The first gate changes at *s* = ${show(edge, 4)}.` : " Any fluctuation sets the gates."}`]
        : ["learns", "good", "The neuron learns.", `${words}, and the objects differ by ${show(first.D)}. The difference grows at first at the rate ${show(rate)} and keeps its sign; when gates change, the closed form of the start no longer holds.`];
      return { regime, tone, caption: [lead, rest],
        numbers: { open: { value: first.open, text: `${first.open} of 14` }, start: first.D, rate, end: here.D } };
    });
  },
};
