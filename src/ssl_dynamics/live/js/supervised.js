// Nearest centres from samples: exact accuracies on the samples and on new features.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "supervised", keys: ["distance", "samples", "log_dim", "left"] });
    const { show, range, clamp } = kit;
    const LOGS = range(1, 9, 17), LEFT = range(0, 1, 21), TIMES = range(-18, 18, 361).map(Math.exp), STEP = 0.1;

    w.choices("five cases", [
      { label: "as measured", values: { distance: 4, samples: 10, log_dim: 7, left: 1 }, title: "four deviations apart, ten samples, 128 dimensions" },
      { label: "nothing to learn", values: { distance: 0, samples: 10, log_dim: 9, left: 1 }, title: "both classes are one" },
      { label: "more samples", values: { distance: 4, samples: 100, log_dim: 7, left: 1 }, title: "a hundred of each class" },
      { label: "weak signal", values: { distance: 2, samples: 4, log_dim: 7, left: 1 }, title: "two deviations apart, four samples" },
      { label: "weak signal, with views", values: { distance: 2, samples: 4, log_dim: 7, left: 0.1 }, title: "a tenth of the deviation is left where nothing is told" }]);
    w.slider({ key: "distance", label: "distance *Δ*~μ~ of the means, in deviations", min: 0, max: 6, step: 0.5,
      ticks: () => [{ label: "0", value: 0 }, { label: "4", value: 4 }] });
    w.slider({ key: "samples", label: "samples of each class *N*~c~", min: 2, max: 100, step: 1, digits: 0,
      ticks: () => [4, 10, 30, 100].map((value) => ({ label: String(value), value })) });
    w.slider({ key: "log_dim", label: "log~2~ of the dimensions *n*~f~", min: 1, max: 9, step: 1, digits: 0,
      ticks: () => [{ label: "2", value: 1 }, { label: "128", value: 7 }, { label: "512", value: 9 }] });
    const legend = [{ looks: "s-red w3 dot", label: "on the samples" }, { looks: "s-green w3", label: "on new features" }];
    const dims = w.plot({ name: "dims", title: `Accuracy against the dimensions (circles: ${POINTS.seeds} recorded draws, where there are any)`, xlabel: "log~2~ of the dimensions", ylabel: "accuracy",
      x: [0.8, 9.2], y: [0.4, 1.03], maxWidth: 420, ratio: 0.8,
      legend });
    const views = w.plot({ name: "views", title: "Accuracy against what the views leave (drag the dot)", xlabel: "deviation *s*~f~ left without signal", handles: true, ylabel: "accuracy",
      x: [-0.02, 1.02], y: [0.4, 1.03], maxWidth: 420, ratio: 0.8, legend });
    w.number("own", "accuracy on the samples");
    w.number("new", "accuracy on new features");
    w.number("gap", "difference");
    w.number("best", "accuracy on new features, nothing left");

    const cases = { own: "s-red w3 dot", new: "s-green w3" };
    function accuracy(name, distance, n, dim, left) {
      const rho = name === "own" ? forms.correlation(n) : 0;
      const a = forms.centres(distance, n), b = forms[name](distance, n);
      return 0.5 + STEP * TIMES.reduce((sum, t) => sum + t * forms.integrand(dim, left, rho, a, b, t), 0);
    }

    return w.start(() => {
      const distance = w.get("distance"), n = Math.round(w.get("samples")), log = w.get("log_dim"), left = w.get("left");
      const dim = 2 ** log, numbers = {};
      const found = left === 1 ? POINTS.table[`${distance}/${n}`] : undefined;
      dims.line("here", log, 0.4, log, 1.03, "s-line w1");
      views.line("here", left, 0.4, left, 1.03, "s-line w1");
      for (const [name, looks] of Object.entries(cases)) {
        dims.curve(name, LOGS, LOGS.map((v) => accuracy(name, distance, n, 2 ** v, left)), looks);
        views.curve(name, LEFT, LEFT.map((v) => accuracy(name, distance, n, dim, v)), looks);
        numbers[name] = accuracy(name, distance, n, dim, left);
        const dot = name === "own" ? "f-red" : "f-green";
        if (found) POINTS.dims.forEach((d, k) => dims.circle(`${name}-${d}`, Math.log2(d), found[name][k], 5, dot, true));
        if (name === "own") views.circle("own-now", left, numbers.own, 4, dot);
      }
      views.handle("left", { at: [left, numbers.new], looks: "f-green", step: [0.05, 0],
        label: "deviation that views leave in directions without signal: left and right arrow keys move it", valuetext: show(left),
        onmove: (x) => w.set({ left: clamp(Number(x.toFixed(2)), 0, 1) }) });
      numbers.gap = numbers.own - numbers.new;
      numbers.best = accuracy("new", distance, n, dim, 0);
      dims.say(`With ${dim} dimensions ${show(100 * numbers.own)} % of the samples are right and ${show(100 * numbers.new)} % of new features.`);
      views.say(`With nothing left in the other directions ${show(100 * numbers.best)} % of new features would be right.`);
      const said = `Right are ${show(100 * numbers.own)} % of the samples and ${show(100 * numbers.new)} % of new features.`;
      const [regime, tone, lead, rest] =
        distance === 0 ? ["nothing", "bad", "There is nothing to learn: what is right above one half is memory.", said]
        : numbers.gap > 0.1 ? ["memory", "bad", "The centres remember their samples.", `${said} ${left > 0 ? `With less left in the other directions the two come nearer, at up to ${show(100 * numbers.best)} % of new features.` : "More samples would bring the two together."}`]
        : numbers.gap > 0.02 ? ["between", "", "Some of it is memory.", said]
        : ["knowledge", "good", "What holds on the samples holds on new features.", said];
      return { regime, tone, caption: [lead, rest], numbers };
    });
  },
};
