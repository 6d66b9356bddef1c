// The sign of a direction as a target: what the best probe reads before and after training.
export default {
  render({ model, el }) {
    const w = kit.widget({ model, el, name: "random_targets", keys: ["target_angle", "carried", "sigma_z"] });
    const { show, range } = kit;
    const ANGLES = range(0, 90, 91), MOVED = range(0, 0.98, 50), TURN = Math.PI / 180;
    // with nothing moved there is no angle to tell; this is its limit, both directions being equal
    const stop = (x, s) => (x > 0 ? forms.stop(1 + x, 1 - x, 1, 1, s) / TURN : 45);
    const fit = (degrees, s) => {
      // the variance that has to move for the angle to be critical, if there is one
      const t = Math.tan(degrees * TURN) ** 2, x = ((1 - t) * (1 + s * s)) / (1 + t);
      return x >= 0 && x <= 0.98 ? x : NaN;
    };

    w.slider({ key: "target_angle", label: "angle of the target *θ*~t~, in degrees", min: 0, max: 90, step: 1, digits: 0,
      ticks: () => [{ label: "semantic", value: 0 }, { label: "critical", value: stop(w.get("carried"), w.get("sigma_z")) },
        { label: "45", value: 45 }, { label: "nuisance", value: 90 }] });
    w.slider({ key: "carried", label: "variance moved by training", min: 0, max: 0.98, step: 0.02,
      ticks: () => [{ label: "untrained", value: 0 }, { label: "critical", value: fit(w.get("target_angle"), w.get("sigma_z")) }] });
    w.slider({ key: "sigma_z", label: "noise *σ*~z~", min: 0.05, max: 2, step: 0.05,
      ticks: () => [{ label: "0.5", value: 0.5 }, { label: "1", value: 1 }] });
    const read = w.plot({ name: "read", title: "Accuracy of the best probe", maxWidth: 400,
      xlabel: "angle of the target *θ*~t~ (degrees)", ylabel: "accuracy", x: [0, 90], y: [0.5, 1],
      legend: [{ looks: "s-quiet w2 dash", label: "untrained" }, { looks: "s-blue w3", label: "trained" },
        { looks: "s-ink w2 dot", label: "critical angle" }] });
    const ratio = w.plot({ name: "ratio", title: "Semantic target over this one, through training", log: true, maxWidth: 400,
      xlabel: "variance moved", ylabel: "ratio", x: [0, 0.98], y: [-2, 2],
      legend: [{ looks: "s-red w3", label: "CDNV" }, { looks: "s-blue w2 dash", label: "variance in the classes" },
        { looks: "s-green w2 dashdot", label: "squared distance" }] });
    w.number("before", "accuracy, untrained");
    w.number("now", "accuracy, trained");
    w.number("stop", "critical angle (degrees)");
    w.number("variance", "ratio of variances");
    w.number("distance", "ratio of distances");
    w.number("cdnv", "ratio of CDNVs");

    return w.start(() => {
      const angle = w.get("target_angle"), x = w.get("carried"), s = w.get("sigma_z");
      const accuracy = (degrees, x) => forms.accuracy(degrees * TURN, 1 + x, 1 - x, s);
      const ratios = (x) => {
        const [one, other] = [0, angle].map((a) => forms.share(a * TURN, 1 + x, 1 - x, s));
        return { variance: (1 - one) / (1 - other), distance: one / other, cdnv: forms.cdnv(one, 2) / forms.cdnv(other, 2) };
      };
      const before = accuracy(angle, 0), now = accuracy(angle, x), edge = stop(x, s), found = ratios(x);
      read.curve("before", ANGLES, ANGLES.map((a) => accuracy(a, 0)), "s-quiet w2 dash");
      read.curve("now", ANGLES, ANGLES.map((a) => accuracy(a, x)), "s-blue w3");
      read.line("edge", edge, 0.5, edge, 1, "s-ink w2 dot");
      read.circle("start", angle, before, 4.5, "f-quiet");
      read.circle("here", angle, now, 6, "f-blue");
      const looks = { variance: "s-blue w2 dash", distance: "s-green w2 dashdot", cdnv: "s-red w3" };
      const course = MOVED.map(ratios);
      ratio.line("one", 0, 0, 0.98, 0, "s-line w1");
      ratio.line("moved", x, -2, x, 2, "s-ink w1 dot");
      for (const [key, look] of Object.entries(looks)) {
        ratio.curve(key, MOVED, course.map((r) => Math.log10(r[key])), look);
      }
      read.say(`At ${show(angle)} degrees the accuracy goes from ${show(before)} to ${show(now)}; the critical angle is ${show(edge)} degrees.`);
      ratio.say(`Semantic over this target: variance ${show(found.variance)}, squared distance ${show(found.distance)}, CDNV ${show(found.cdnv)}.`);

      const gain = now - before, less = `${show(100 * Math.abs(gain))} points`;
      const [regime, tone, lead, rest] =
        x === 0 ? ["untrained", "", "Nothing has moved.", "Both directions have the variance 1, and every target is read alike."]
        : Math.abs(angle - edge) < 1e-6 ? ["critical", "", "What the semantic direction gains, the nuisance loses.", "This target is read as well as before training."]
        : gain > 0 ? ["helped", "good", `Training helps this target by ${less}.`, `It lies within ${show(edge)} degrees of the semantic direction.`]
        : ["hurt", "bad", `Training hurts this target by ${less}.`, `It lies beyond ${show(edge)} degrees from the semantic direction. Less noise would make the angle smaller; without noise no target would lose.`];
      return { regime, tone, caption: [lead, rest], numbers: { before, now, stop: edge, ...found } };
    });
  },
};
