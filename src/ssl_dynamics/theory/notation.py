r"""The one table of symbols.

Every theory module imports its SymPy symbols from here, so a letter means the same thing in every
chapter, and every symbol carries the assumptions that the proofs use. The page ``notation.md`` is
generated from :data:`SYMBOLS`; ``tests/theory/test_notation.py`` holds the table against the closed
forms and the notebooks.

To add a symbol: one call of ``_row`` in the block of its chapter. A second row with the same symbol
or the same LaTeX is refused at import.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

CHAPTERS = (
    "index",
    "dual_networks",
    "covariance_operator",
    "info_nce",
    "batchnorm",
    "ablation",
    "predictor",
    "ema",
    "simsiam",
    "alternating",
    "expansion",
    "mean_view",
    "directpred",
    "one_picture",
    "one_neuron",
    "two_layers",
    "translation",
    "latent_tree",
    "reproducing",
    "collapse_levels",
    "gradient",
    "recovery",
    "luck",
    "flat_minima",
    "lottery",
    "negative_bias",
    "top_down",
    "compression",
    "measures",
    "two_terms",
    "random_targets",
    "supervised",
    "layers",
)
"""Chapters that may be named in a row; the last part of the notebook's path in ``book``."""


@dataclass(frozen=True)
class Notation:
    """One row of the table.

    Attributes:
        symbol: the SymPy symbol, with its assumptions.
        latex: how it is printed, without dollar signs.
        meaning: one short phrase.
        shape: of the quantity in mathematics, such as ``"scalar"`` or ``"B"`` or ``"d x n"``.
        code: its name in the code of this package, empty when it has none.
        chapters: the chapters that use it.
    """

    symbol: sp.Symbol
    latex: str
    meaning: str
    shape: str
    code: str
    chapters: tuple[str, ...]


_rows: list[Notation] = []


def _row(
    name: str,
    latex: str,
    meaning: str,
    chapters: str,
    *,
    shape: str = "scalar",
    code: str = "",
    **assumptions: bool,
) -> sp.Symbol:
    """Enter one row and return its symbol; real unless the assumptions say otherwise."""
    symbol = sp.Symbol(name, **(assumptions or {"real": True}))
    named = tuple(chapters.split())
    for chapter in named:
        if chapter not in CHAPTERS:
            raise ValueError(f"symbol {name!r}: unknown chapter {chapter!r}, allowed: {CHAPTERS}")
    for row in _rows:
        if row.symbol.name == name:
            raise ValueError(f"symbol {name!r} already means {row.meaning!r}")
        if row.latex == latex:
            raise ValueError(f"LaTeX {latex!r} already means {row.meaning!r}")
    _rows.append(Notation(symbol, latex, meaning, shape, code, named))
    return symbol


# --- shared -----------------------------------------------------------------------------------
B = _row(
    "B",
    "B",
    "batch size",
    "batchnorm ablation predictor reproducing expansion recovery compression two_terms",
    code="batch",
    positive=True,
    integer=True,
)
loss = _row("L", r"\mathcal L", "loss", "batchnorm predictor simsiam", code="loss")
alpha = _row(
    "alpha",
    r"\alpha",
    "step size",
    "one_neuron ablation predictor ema alternating expansion recovery",
    code="lr",
    positive=True,
)
gamma = _row("gamma", r"\gamma", "EMA rate: weight kept by the target", "ema", code="ema")
time = _row(
    "t",
    "t",
    "continuous training time",
    "index one_neuron translation ablation predictor simsiam alternating mean_view directpred "
    "one_picture "
    "latent_tree collapse_levels recovery",
    code="t",
)
x_1 = _row("x_1", "x_1", "first view of an image", "index")
x_2 = _row("x_2", "x_2", "second view of an image", "index")

# --- batchnorm --------------------------------------------------------------------------------
mu = _row("mu", r"\mu", "batch mean of one feature", "batchnorm ablation", code="mean")
sigma = _row(
    "sigma",
    r"\sigma",
    "biased batch std of one feature",
    "batchnorm ablation",
    code="std",
    positive=True,
)
epsilon = _row(
    "epsilon", r"\epsilon", "stabiliser added to the variance", "batchnorm", code="eps",
    nonnegative=True,
)  # fmt: skip
x = _row("x", "x", "one feature over the batch, before normalisation", "batchnorm", shape="B")
x_hat = _row(
    "xhat", r"\hat x", "the standardised feature, (x - mu) / sigma", "batchnorm", shape="B"
)
g = _row("g", "g", "gradient arriving from above", "batchnorm", shape="B")
g_mean = _row(
    "gbar", r"\bar g", "batch mean of the arriving gradient", "batchnorm ablation predictor"
)

c_gx = _row(
    "c_gx",
    r"c_{gx}",
    "batch covariance of the arriving gradient and the feature",
    "batchnorm ablation",
)
f_mean = _row("fbar", r"\bar f", "batch mean of one input feature of the layer below", "batchnorm")
c_gf = _row(
    "c_gf", r"c_{gf}", "batch covariance of the arriving gradient and an input feature", "batchnorm"
)
c_xf = _row("c_xf", r"c_{xf}", "batch covariance of the feature and an input feature", "batchnorm")

# --- predictor --------------------------------------------------------------------------------
W_p = _row("W_p", "W_p", "linear predictor", "predictor", shape="d x d", code="predictor")
w = _row(
    "w",
    "w",
    "online weight (one mode, or vec of a layer)",
    "index dual_networks covariance_operator info_nce predictor ema alternating one_picture",
)
w_target = _row(
    "w_target", "w'", "target weight", "dual_networks predictor ema alternating one_picture",
    code="target",
)  # fmt: skip
p = _row(
    "p",
    "p",
    "predictor scale: the predictor is p times the identity",
    "index predictor ema alternating one_picture",
)
lambda_V = _row(
    "lambda_V", r"\lambda_V", "variance between images along one direction",
    "covariance_operator info_nce predictor ema alternating one_picture collapse_levels layers",
    positive=True,
)  # fmt: skip
lambda_I = _row(
    "lambda_I", r"\lambda_I", "mean variance over the views of one image along that direction",
    "covariance_operator info_nce predictor ema alternating expansion mean_view one_picture "
    "collapse_levels layers",
    nonnegative=True,
)  # fmt: skip
m = _row("m", "m", "mean of the online connection along one direction", "predictor")
m_target = _row("m_target", "m'", "mean of the target connection along that direction", "predictor")
tau = _row(
    "tau", r"\tau", "size of the target weight in units of the online one", "predictor directpred"
)

# --- ema --------------------------------------------------------------------------------------
a = _row("a", "a", "decay coefficient: invariance plus quadratic term", "ema")
b = _row("b", "b", "growth coefficient: the term linear in the predictor", "ema")
z = _row("z", "z", "variable of the Z-transform; a pole is the growth factor of a step", "ema")
z_plus = _row("z_plus", "z_+", "larger pole of the pair", "ema")
z_minus = _row("z_minus", "z_-", "smaller pole of the pair", "ema")
s = _row("s", "s", "variable of the Laplace transform; a pole is a rate per unit of time", "ema")
n = _row("n", "n", "number of steps taken", "ema expansion", nonnegative=True, integer=True)
w_start = _row(
    "w_0", "w_0", "online weight at the start", "index translation ema mean_view one_picture"
)
w_target_start = _row("w_target_0", "w'_0", "target weight at the start", "ema")

# --- simsiam ----------------------------------------------------------------------------------
phi = _row("varphi", r"\varphi", "scalar predictor", "simsiam", code="phi")
theta = _row("theta", r"\theta", "scalar encoder", "simsiam", code="theta")
phi0 = _row("varphi_0", r"\varphi_0", "predictor at the start", "simsiam", code="phi0")
theta0 = _row("theta_0", r"\theta_0", "encoder at the start", "simsiam", code="theta0")
c_stop = _row(
    "C_stop", r"C_{\rm stop}", "conserved with stop-gradient: encoder² - predictor²", "simsiam"
)
c_full = _row(
    "C_full", r"C_{\rm full}", "conserved by the full gradient: (1 - predictor)² - encoder²",
    "simsiam",
)  # fmt: skip
c_second = _row(
    "C_second", r"C_{\rm second}", "conserved by the second term alone: predictor + encoder²/2",
    "simsiam",
)  # fmt: skip
psi = _row("psi", r"\psi", "scalar EMA target", "simsiam", code="psi")
sigma_aug = _row(
    "sigma_aug",
    r"\sigma_{\rm aug}",
    "standard deviation of the augmentation noise; the images have variance 1",
    "index simsiam directpred",
    code="sigma_aug",
    nonnegative=True,
)
alpha_p = _row(
    "alpha_p",
    r"\alpha_p",
    "learning rate of the predictor divided by that of the encoder",
    "ablation simsiam directpred one_picture",
    code="predictor_rate",
    positive=True,
)
beta = _row(
    "beta", r"\beta", "rate of the EMA target in continuous time",
    "ema simsiam directpred one_picture",
)  # fmt: skip

# --- latent_tree ------------------------------------------------------------------------------
p_zero = _row(
    "p_0", "p_0", "probability that a child is 1 when its parent is 0", "latent_tree", code="zero"
)
p_one = _row(
    "p_1", "p_1", "probability that a child is 1 when its parent is 1", "latent_tree", code="one"
)
rho_1 = _row("rho_1", r"\rho_1", "polarity of an edge", "latent_tree", code="polarity")
rho_2 = _row("rho_2", r"\rho_2", "polarity of a second edge", "latent_tree")
rho_path = _row(
    "rho_path", r"\rho_{0\mu}", "polarity from the root to a node", "latent_tree",
    code="root_polarity",
)  # fmt: skip
prior_root = _row(
    "pi_0", r"\pi", "probability that the root, or the class, is 1",
    "one_neuron translation latent_tree",
    code="root",
)  # fmt: skip
s_1 = _row("s_1", "s_1", "selectivity of a child neuron for its own latent", "latent_tree")
s_2 = _row("s_2", "s_2", "selectivity of a second child neuron", "latent_tree")
h_zero = _row("h_0", "h_0", "mean of a function of the subtree when its top is 0", "latent_tree")
h_one = _row("h_1", "h_1", "mean of a function of the subtree when its top is 1", "latent_tree")
top_down = _row(
    "c", "c", "square of the top-down weights of a decoupled group", "latent_tree", positive=True
)
v_square = _row(
    "v_square", r"\lVert v_\mu\rVert^2", "squared length of the direction a group can learn",
    "latent_tree", nonnegative=True,
)  # fmt: skip
s_start = _row("s_start", r"\tilde s(0)", "selectivity of a neuron at the start", "latent_tree")
posterior_variance = _row(
    "v_post", r"\mathbb V[m]", "variance of a latent's posterior mean", "latent_tree",
    nonnegative=True,
)  # fmt: skip

# --- dual_networks ----------------------------------------------------------------------------
h = _row("h", "h", "pre-activation of one neuron", "dual_networks translation mean_view")
h_rate = _row("h_rate", r"\dot h", "its change per unit of the step", "dual_networks")
delta = _row("delta", r"\delta", "size of a step of one layer's weights", "dual_networks")
leak = _row("leak", "q", "slope of a leaky ReLU below zero", "dual_networks recovery", code="leak")
k_1 = _row("k_1", "k_1", "connection of the first view along one weight", "dual_networks")
k_2 = _row("k_2", "k_2", "connection of the second view along one weight", "dual_networks")
r = _row("r", "r", "half the squared distance of two outputs", "dual_networks")

# --- reproducing ------------------------------------------------------------------------------
temperature = _row(
    "temperature", r"\tau_{\rm c}", "temperature of a contrastive loss",
    "info_nce reproducing one_picture supervised",
    code="temperature", positive=True,
)  # fmt: skip
distance_gap = _row(
    "D_gap", r"\Delta", "mean negative minus mean positive half squared distance", "reproducing"
)
output_width = _row(
    "n_out", r"n_{\rm out}", "number of output coordinates",
    "reproducing one_picture flat_minima compression collapse_levels two_terms",
    code="width",
    positive=True, integer=True,
)  # fmt: skip

# --- one_neuron -------------------------------------------------------------------------------
kappa = _row(
    "kappa", r"\kappa", "branch factor: 2 if both branches are differentiated, 1 if one is",
    "covariance_operator one_neuron translation", code="kappa", positive=True,
)  # fmt: skip
class_gap = _row(
    "D", "D", "difference of the two class means of the output", "one_neuron translation"
)
class_gap_start = _row("D_0", "D_0", "that difference at the start", "one_neuron translation")
u_square = _row(
    "u_square", r"\lVert u\rVert^2",
    "squared length of the difference of the two class means of the connection",
    "one_neuron translation",
    nonnegative=True,
)  # fmt: skip
std_one = _row(
    "std_1", r"\sigma_1", "standard deviation of the pre-activation in class 1", "one_neuron",
    positive=True,
)  # fmt: skip
std_zero = _row(
    "std_0", r"\sigma_0", "standard deviation of the pre-activation in class 0", "one_neuron",
    positive=True,
)  # fmt: skip
weight_mean = _row("w_mean", r"\bar w", "mean of the initial weights of a neuron", "one_neuron")
pair_low = _row(
    "xi_low", r"\xi_{\min}", "smallest sum of two fluctuations that share a picture", "one_neuron"
)

# --- translation ------------------------------------------------------------------------------
ring_sites = _row(
    "d", "d", "sites of the ring", "translation", code="sites", positive=True, integer=True
)
gate_like = _row("g_like", "g^+_i", "gate of the liked picture at place i", "translation")
gate_like_back = _row(
    "g_like_back", "g^+_{i-a}", "gate of the liked picture one step a before", "translation"
)
gate_other = _row("g_other", "g^-_i", "gate of the disliked picture at place i", "translation")
gate_other_back = _row(
    "g_other_back", "g^-_{i-b}", "gate of the disliked picture one step b before", "translation"
)
open_like = _row("n_like", "n_+", "liked pictures with an open gate", "translation")
open_other = _row("n_other", "n_-", "disliked pictures with an open gate", "translation")
neighbours_like = _row(
    "m_like", "m_+", "pairs of open liked pictures that share a site", "translation"
)
neighbours_other = _row(
    "m_other", "m_-", "pairs of open disliked pictures that share a site", "translation"
)
shared_sites = _row(
    "m_cross", r"m_\pm", "pairs of an open liked and an open disliked picture that share a site",
    "translation",
)  # fmt: skip
u_site = _row("u_i", "u_i", "entry of the difference u at site i", "translation")
w_square = _row(
    "w_square", r"\lVert w\rVert^2", "squared length of the weights", "translation",
    nonnegative=True,
)  # fmt: skip
slope = _row(
    "eta", r"\eta", "change of a pre-activation per unit of the clock", "translation", code="slope"
)
clock = _row(
    "ell", r"\ell", "clock on which the weights of a neuron move at constant velocity",
    "translation", code="clock",
)  # fmt: skip
lone_weight = _row(
    "omega", r"\omega", "both weights of the one picture a neuron answers to", "translation",
    positive=True,
)  # fmt: skip

# --- covariance_operator ----------------------------------------------------------------------
images = _row(
    "N", "N", "images of an enumerated population", "covariance_operator", positive=True,
    integer=True,
)  # fmt: skip
views = _row(
    "M", "M", "equally likely views of each image", "covariance_operator alternating expansion",
    positive=True, integer=True,
)  # fmt: skip
trace_cov = _row(
    "T_f", r"T_{\bar f}", "trace of the covariance of the image means of the outputs",
    "covariance_operator", nonnegative=True,
)  # fmt: skip
beta_plus = _row("beta_plus", r"\beta_+", "extra weight of positive pairs", "covariance_operator")

# --- info_nce ---------------------------------------------------------------------------------
triple_gap = _row(
    "y", "y", "negative minus positive half squared distance of one triple", "info_nce"
)
margin = _row("r_0", "r_0", "margin of the soft triplet loss", "info_nce", code="margin")
mean_distance = _row(
    "r_bar", r"\bar r", "half the squared distance of the mean outputs of two images", "info_nce",
    nonnegative=True,
)  # fmt: skip

# --- two_layers -------------------------------------------------------------------------------
coupling = _row(
    "chi", r"\chi", "growth rate of a layer per unit of the other layer's squared size",
    "two_layers", positive=True,
)  # fmt: skip
nu_1 = _row(
    "nu_1", r"\nu_1", "squared size of the first (bottom) layer at the start", "two_layers",
    positive=True,
)  # fmt: skip
nu_2 = _row(
    "nu_2", r"\nu_2", "squared size of the second (top) layer at the start", "two_layers",
    positive=True,
)  # fmt: skip
nu = _row(
    "nu", r"\nu", "squared size of every layer at a balanced start", "two_layers", positive=True
)
grown = _row(
    "grown", r"\zeta", "growth of the squared sizes since the start", "two_layers", nonnegative=True
)
depth = _row(
    "depth", "L", "number of layers that train", "two_layers layers", code="depth", positive=True,
    integer=True,
)  # fmt: skip
decay = _row(
    "decay",
    r"\lambda_{\rm d}",
    "weight decay",
    "two_layers ablation alternating directpred",
    positive=True,
)
alpha_1 = _row(
    "alpha_1", r"\alpha_1", "learning rate of the bottom layer", "two_layers", positive=True
)
alpha_2 = _row(
    "alpha_2", r"\alpha_2", "learning rate of the top layer", "two_layers", positive=True
)

# --- expansion --------------------------------------------------------------------------------
aug_size = _row(
    "r_aug", r"r_{\rm aug}", "size of the augmentation: the unit of distances from the mean view",
    "expansion mean_view", positive=True,
)  # fmt: skip
encoder_slope = _row(
    "F_1", "F'", "slope of the encoder at the mean view (or, where said, at the image)", "expansion"
)
curvature = _row("F_2", "F''", "second derivative of the encoder at the mean view", "expansion")
third = _row("F_3", "F'''", "third derivative of the encoder at the mean view", "expansion")
moment_2 = _row(
    "m_2", "m_2", "variance of the views in units of their size", "expansion", nonnegative=True
)
moment_3 = _row("m_3", "m_3", "third central moment of the views in these units", "expansion")
moment_4 = _row(
    "m_4", "m_4", "fourth central moment of the views in these units", "expansion", nonnegative=True
)
first_share = _row(
    "q_v", r"q_{\rm v}", "probability of the first of two views", "expansion", positive=True
)
moved_share = _row(
    "q_m", r"q_{\rm m}", "probability that a view is not the mean view", "expansion",
    code="moved", positive=True,
)  # fmt: skip
kurtosis = _row(
    "k_4", "k_4", "kurtosis: fourth central moment over the squared variance", "expansion"
)
mixing = _row(
    "q_d", r"q_{\rm d}", "share of the diagonal in the squared entries of the matrix JᵀJ",
    "expansion", positive=True,
)  # fmt: skip
mean_variance = _row(
    "V_mean", r"\mathbb V[\ell_{\rm mean}]",
    "variance over views of the squared distance to the mean output", "expansion",
    nonnegative=True,
)  # fmt: skip
trace_square = _row(
    "T_A", r"\operatorname{tr}A^2", "trace of the squared covariance of the outputs of one image",
    "expansion", nonnegative=True,
)  # fmt: skip
image_offset = _row(
    "delta_x", r"\delta_x", "mean view less the image, in units of the size", "expansion"
)
mean_length = _row(
    "m_u", r"m_{\rm u}", "length of the mean of outputs of length one", "expansion", positive=True
)

# --- directpred -------------------------------------------------------------------------------
mode_p = _row("p_j", "p_j", "eigenvalue of the predictor along mode j", "directpred")
mode_s = _row(
    "s_j", "s_j", "strength of mode j: eigenvalue of WWᵀ along it", "directpred", nonnegative=True
)
mode_c = _row("c_j", "c_j", "distance of mode j from the parabola at the start", "directpred")
mode_p_start = _row("p_j0", "p_j(0)", "eigenvalue of the predictor at the start", "directpred")
mode_s_start = _row(
    "s_j0", "s_j(0)", "strength of the mode at the start", "directpred", nonnegative=True
)

# --- alternating ------------------------------------------------------------------------------
held_steps = _row(
    "K_eta", r"K_\eta", "steps for which the targets are held", "alternating", code="held",
    positive=True, integer=True,
)  # fmt: skip
held_time = _row(
    "T_eta", r"T_\eta", "time for which the targets are held, in the limit of small steps",
    "alternating", positive=True,
)  # fmt: skip
p_old = _row("p_old", r"p_{\rm old}", "predictor scale that was best some time ago", "alternating")
p_best = _row("p_star", r"p^\ast", "best predictor scale for the present weights", "alternating")
p_best_1 = _row("p_star_1", r"p^\ast_1", "best predictor scale of a first mode", "alternating")
p_best_2 = _row("p_star_2", r"p^\ast_2", "best predictor scale of a second mode", "alternating")
total_1 = _row(
    "S_1", "S_1", "second moment of all views along a first mode", "alternating", positive=True
)
total_2 = _row(
    "S_2", "S_2", "second moment of all views along a second mode", "alternating", positive=True
)
mode_share = _row(
    "q_1", "q_1", "share of a first mode in the squared length of the weights of one output",
    "alternating", nonnegative=True,
)  # fmt: skip
output_moment = _row(
    "c_S", r"wSw^\top", "second moment of one output over all views", "alternating", positive=True
)

# --- mean_view --------------------------------------------------------------------------------
view_square = _row(
    "A_T", r"A_T", "mean squared length of the outputs of the views", "mean_view", nonnegative=True
)
mean_square = _row(
    "A_m", r"A_{\bar x}", "mean squared length of the outputs at the mean views", "mean_view",
    nonnegative=True,
)  # fmt: skip
overlap = _row(
    "C_T", r"C_T", "mean inner product of the outputs of a view and of the mean view", "mean_view"
)
slope_kept = _row(
    "c_2", "c_2", "slope of an encoder along the direction that no view moves", "mean_view",
    positive=True,
)  # fmt: skip
slope_moved = _row(
    "c_1", "c_1", "slope of an encoder along the direction that the views move", "mean_view",
    positive=True,
)  # fmt: skip
side_share = _row(
    "q_s", r"q_{\rm s}", "share of the outputs on one side of a line through zero", "mean_view",
    nonnegative=True,
)  # fmt: skip
h_aug = _row(
    "h_aug", r"h_{\rm aug}", "change of a pre-activation from the mean view to a view", "mean_view",
    positive=True,
)  # fmt: skip

# --- one_picture ------------------------------------------------------------------------------
negatives = _row(
    "n_neg", r"N_-", "negatives drawn for each anchor", "one_picture", code="negatives",
    positive=True, integer=True,
)  # fmt: skip
inv_weight = _row(
    "mu_s", r"\mu_{\rm s}", "weight of VICReg's invariance term",
    "one_picture collapse_levels two_terms layers", code="invariance", positive=True,
)  # fmt: skip
var_weight = _row(
    "mu_v", r"\mu_{\rm v}", "weight of VICReg's variance term",
    "one_picture collapse_levels two_terms layers", code="variance", positive=True,
)  # fmt: skip
floor = _row(
    "eps_v", r"\epsilon_{\rm v}", "added to a variance before the square root in VICReg",
    "one_picture two_terms", nonnegative=True,
)  # fmt: skip
axis_match = _row(
    "C_a", r"C_{\rm a}", "correlation of the two views along one output axis", "one_picture"
)
axis_variance = _row(
    "V_a", r"V_{\rm a}", "variance of the views along one output axis", "one_picture",
    positive=True,
)  # fmt: skip
boost = _row(
    "eps_p", r"\epsilon_{\rm p}", "constant added to the predictor that DirectPred sets",
    "one_picture", code="boost", nonnegative=True,
)  # fmt: skip

# --- gradient (student and teacher) -----------------------------------------------------------
gate_student = _row("d_j", "d_j", "gate of a node of the student", "gradient")
gate_teacher = _row("d_k_star", r"d^\ast_k", "gate of a node of the teacher", "gradient")
coefficient = _row(
    "beta_jk", r"\beta_{jk}", "top-down coefficient between two nodes of one layer", "gradient"
)
node_activation = _row(
    "f_k", "f_k", "activation of a node of the layer, the teacher's or the student's", "gradient"
)
weight_student = _row(
    "w_ji", "w_{ji}", "weight of the student from node i to node j one layer up", "gradient"
)
weight_teacher = _row(
    "w_ki_star", r"w^\ast_{ki'}", "weight of the teacher from node i' to node k one layer up",
    "gradient",
)  # fmt: skip
angle = _row(
    "vartheta", r"\vartheta", "angle between the weights of a student and of a teacher node",
    "gradient recovery luck lottery negative_bias", nonnegative=True,
)  # fmt: skip
layer_nodes = _row(
    "n_l",
    "n_l",
    "nodes of a layer of the student",
    "gradient negative_bias top_down",
    positive=True,
    integer=True,
)
layer_inputs = _row(
    "n_below", "n_{l-1}", "inputs of that layer", "gradient", positive=True, integer=True
)

# --- recovery -----------------------------------------------------------------------------------
student_norm = _row(
    "w_norm", r"\lVert w\rVert", "length of the weights of a student node", "recovery",
    positive=True,
)  # fmt: skip
teacher_norm = _row(
    "w_star_norm", r"\lVert w^\ast\rVert", "length of the weights of its teacher node", "recovery",
    positive=True,
)  # fmt: skip
student_norm_start = _row(
    "w_norm_0", r"\lVert w_0\rVert", "length of the student's weights at the start", "recovery",
    positive=True,
)  # fmt: skip
angle_start = _row(
    "vartheta_0", r"\vartheta_0", "angle between student and teacher at the start",
    "recovery lottery", nonnegative=True,
)  # fmt: skip
angle_goal = _row(
    "vartheta_1", r"\vartheta_1", "angle at which the clock is stopped", "recovery", positive=True
)
input_count = _row("n_0", "n_0", "number of inputs", "recovery luck", positive=True, integer=True)

# --- luck (student and teacher) ----------------------------------------------------------------
alignment = _row(
    "a_j", "a_j", "alignment of a student node with a teacher node, held fixed", "luck",
    positive=True,
)  # fmt: skip
alignment_best = _row("a_1", "a_1", "alignment of the best student node", "luck", positive=True)
strength = _row(
    "mu_j", r"\mu_j", "strength of a student node: length of its weights times that of its fan-out",
    "luck", positive=True,
)  # fmt: skip
strength_start = _row(
    "mu_0", r"\varepsilon", "strength of every student node at the start", "luck", positive=True
)
unexplained = _row("R", "R", "part of a teacher node that no student explains yet", "luck")
pull_clock = _row(
    "tau_R", r"\tau_R", "clock of the competition: twice the integral of the unexplained part",
    "luck",
)  # fmt: skip
fan_in = _row(
    "nu_in", r"\nu_{\rm in}", "length of a student node's weights at the start", "luck",
    nonnegative=True,
)  # fmt: skip
fan_out = _row(
    "nu_out",
    r"\nu_{\rm out}",
    "fan-out of a student node at the start, along the teacher's",
    "luck",
)
ticket_count = _row(
    "n_s", r"n_{\rm s}", "number of student nodes", "luck lottery", code="students", positive=True,
    integer=True,
)  # fmt: skip
ticket_chance = _row(
    "p_cap", r"p_\vartheta", "probability that a random direction is within a given angle", "luck",
    positive=True,
)  # fmt: skip
wanted_chance = _row(
    "q_w", r"q_{\rm w}", "wanted probability that one student at least starts that near", "luck",
    positive=True,
)  # fmt: skip
kink_weight = _row("gamma_j", r"\gamma_j", "coefficient of node j in one output", "luck")
kink_length = _row(
    "len_j", r"\lVert w_j\rVert", "length of the weights of node j", "luck", positive=True
)
kink_step = _row("rho_x", r"\rho", "step of the input across a hyperplane", "luck", positive=True)

# --- flat_minima ------------------------------------------------------------------------------
square_matched = _row(
    "G_11", "G_{11}", "mean square of the feature of a matched node", "flat_minima", positive=True
)
product_mixed = _row(
    "G_12", "G_{12}", "mean product of the features of a matched and of an irrelevant node",
    "flat_minima",
)  # fmt: skip
square_other = _row(
    "G_22", "G_{22}", "mean square of the feature of an irrelevant node", "flat_minima",
    positive=True,
)  # fmt: skip
gap_matched = _row(
    "e_1", "e_1", "fan-out of a matched node at the start, less the teacher's", "flat_minima"
)
fan_out_other = _row("v_2", "v_2", "fan-out of an irrelevant node at the start", "flat_minima")
size_ratio = _row(
    "varrho", r"\varrho", "size of a copied feature in units of the original", "flat_minima",
    positive=True,
)  # fmt: skip
fan_in_start = _row(
    "w_j0", r"\lVert w_j(0)\rVert", "length of a node's fan-in weights at the start",
    "flat_minima", nonnegative=True,
)  # fmt: skip
fan_out_start = _row(
    "v_j0", r"\lVert v_j(0)\rVert", "length of a node's fan-out weights at the start",
    "flat_minima", nonnegative=True,
)  # fmt: skip
sharers = _row(
    "n_c", r"n_{\rm c}", "student nodes that share one teacher node's direction", "flat_minima",
    positive=True, integer=True,
)  # fmt: skip
fan_out_rank = _row(
    "r_V", "r_V", "rank of the fan-out weights of those nodes", "flat_minima", positive=True,
    integer=True,
)  # fmt: skip
inputs = _row(
    "n_in", r"n_{\rm in}", "number of input coordinates", "flat_minima", positive=True,
    integer=True,
)  # fmt: skip

# --- lottery (student and teacher) ------------------------------------------------------------
fresh_count = _row(
    "n_r", r"n_{\rm r}", "fresh draws that stand in for kept nodes", "lottery", code="fresh",
    positive=True, integer=True,
)  # fmt: skip
teacher_count = _row(
    "m_t", r"m_{\rm t}", "number of teacher nodes", "lottery", code="nodes", positive=True,
    integer=True,
)  # fmt: skip
sine_power = _row(
    "k_sin", r"k_{\rm s}", "power of the sine in the share of a cap", "lottery", positive=True,
    integer=True,
)  # fmt: skip
sine_integral = _row(
    "J_below", r"J_{k_{\rm s}-2}",
    "integral of the sine to that power less two, from 0 to the angle", "lottery", nonnegative=True,
)  # fmt: skip
teacher_bias = _row("b_star", r"b^\ast", "bias of a teacher node", "lottery", code="bias")
teacher_open = _row(
    "Phi_b", r"\Phi_b", "probability that a teacher node of length one is open", "lottery",
    positive=True,
)  # fmt: skip
teacher_density = _row(
    "phi_b", r"\phi_b", "standard normal density at the bias of a teacher node", "lottery",
    positive=True,
)  # fmt: skip

# --- negative_bias (student and teacher) ------------------------------------------------------
norm_offset = _row(
    "beta_BN", r"\beta_{\rm BN}", "offset (bias) of a BatchNorm channel", "negative_bias",
    code="offset",
)  # fmt: skip
norm_gain = _row(
    "gamma_BN", r"\gamma_{\rm BN}", "gain of a BatchNorm channel", "negative_bias", code="gain",
    real=True, nonzero=True,
)  # fmt: skip
relative_j = _row(
    "b_j", "b_j", "relative bias of a node: offset over the size of the gain", "negative_bias"
)
relative_k = _row("b_k", "b_k", "relative bias of another node", "negative_bias")
correlation = _row("rho_jk", r"\rho_{jk}", "correlation of two pre-activations", "negative_bias")
both_open = _row(
    "P_jk", "P_{jk}", "probability that two nodes are open together", "negative_bias",
    nonnegative=True,
)  # fmt: skip
mean_open = _row(
    "P_bar", r"\bar P", "probability of being open, mean over the nodes of a layer",
    "negative_bias", positive=True,
)  # fmt: skip

# --- ablation ---------------------------------------------------------------------------------
mean_ratio = _row(
    "r_mu", r"r_\mu", "mean of a feature over its deviation", "ablation", code="ratio"
)
mean_ratio0 = _row("r_mu0", r"r_\mu(0)", "that ratio at the start", "ablation")
mean_ratio_target = _row("r_mu_t", r"r_\mu'", "that ratio in the target", "ablation")
mean_ratio_predicted = _row("r_mu_p", r"\hat r_\mu", "that ratio in the prediction", "ablation")
view_agreement = _row(
    "rho_v", r"\rho_{\rm v}", "mean cosine of two views once their mean is taken off", "ablation",
    positive=True,
)  # fmt: skip
head_bias = _row("b_h", r"b_{\rm h}", "bias of a head's feature", "ablation", positive=True)
head_row = _row(
    "w_h", r"w_{\rm h}", "scale of the rows of the head of four numbers", "ablation", positive=True
)
mean_gain = _row(
    "p_m", r"p_{\rm m}", "factor of the predictor on the mean", "ablation", positive=True
)
rest_gain = _row(
    "p_s", r"p_{\rm s}", "factor of the predictor on all but the mean", "ablation", positive=True
)
head_bias0 = _row(
    "b_h0", r"b_{\rm h}(0)", "bias of the head at the start", "ablation", positive=True
)
head_row0 = _row(
    "w_h0", r"w_{\rm h}(0)", "rows of the head at the start", "ablation", positive=True
)
mean_gain0 = _row(
    "p_m0", r"p_{\rm m}(0)", "gain of the mean at the start", "ablation", positive=True
)
rest_gain0 = _row(
    "p_s0", r"p_{\rm s}(0)", "gain of the rest at the start", "ablation", positive=True
)
head_size = _row(
    "N_h", r"N_{\rm h}", "root of the squared row plus the squared bias of the head", "ablation",
    positive=True,
)  # fmt: skip
decay_row = _row(
    "lambda_w", r"\lambda_{\rm w}", "weight decay of rows", "ablation", nonnegative=True
)
decay_bias = _row(
    "lambda_b", r"\lambda_{\rm b}", "weight decay of biases", "ablation", nonnegative=True
)
u_mean = _row("ubar", r"\bar u", "batch mean of the gradient handed down", "ablation")
input_mean_square = _row(
    "f_mean_square", r"\lVert\bar f\rVert^2", "squared length of the mean input of a layer",
    "ablation", nonnegative=True,
)  # fmt: skip
mean_along = _row(
    "c_uf", r"c_{u\bar f}",
    "batch covariance of the gradient handed down and the inputs along their mean", "ablation",
)  # fmt: skip

# --- top_down ---------------------------------------------------------------------------------
order = _row(
    "k", "k", "number of bits that a feature combines", "top_down", positive=True, integer=True
)
input_bits = _row(
    "d_x", r"d_{\rm x}", "number of input bits", "top_down", positive=True, integer=True
)
candidates = _row(
    "T_k", "T_k", "number of features that combine k of the input bits", "top_down",
    positive=True, integer=True,
)  # fmt: skip
shared_bits = _row(
    "s_AB", r"|A\cap A'|", "number of bits that two features share", "top_down",
    nonnegative=True, integer=True,
)  # fmt: skip
open_share = _row(
    "P_o", r"P_{\rm o}", "share of the inputs at which a node is open", "top_down",
    nonnegative=True,
)  # fmt: skip

# --- compression ------------------------------------------------------------------------------
rho_xz = _row(
    "rho_xz", r"\rho_{xz}", "correlation of an input and its representation, one coordinate",
    "compression", real=True,
)  # fmt: skip
rho_T = _row(
    "rho_T", r"\rho_T", "correlation for which a critic is the best one", "compression", real=True
)
sigma_z = _row(
    "sigma_z", r"\sigma_z", "deviation of the noise added to each coordinate of a representation",
    "compression random_targets", code="deviation", positive=True,
)  # fmt: skip
v_z = _row(
    "v_z", "v_z", "variance of one coordinate of a representation", "compression", positive=True
)
m_z = _row("m_z", "m_z", "mean of an exponential representation", "compression", positive=True)
Delta_z = _row(
    "Delta_z", r"\Delta_z", "width of the bins of a representation", "compression",
    code="width", positive=True,
)  # fmt: skip
c_T = _row("c_T", "c_T", "coefficient of a bilinear critic", "compression", real=True)

# --- measures ---------------------------------------------------------------------------------
class_count = _row(
    "C",
    "C",
    "number of classes",
    "measures supervised random_targets compression",
    code="classes",
    positive=True,
    integer=True,
)
feature_dim = _row(
    "n_f", r"n_{\rm f}", "number of feature dimensions", "measures supervised", code="dimension",
    positive=True, integer=True,
)  # fmt: skip
per_class = _row(
    "N_c",
    "N_c",
    "samples of each class",
    "measures supervised",
    code="samples",
    positive=True,
    integer=True,
)
cdnv = _row(
    "V", "V", "class-distance normalised variance (CDNV) of two classes",
    "measures random_targets",
    code="cdnv", positive=True,
)  # fmt: skip
directional = _row(
    "V_u", r"\tilde V", "directional CDNV: with the variances along the line of the means",
    "measures", code="directional_cdnv", positive=True,
)  # fmt: skip
cdnv_found = _row(
    "V_hat", r"\hat V", "CDNV computed from samples", "measures", code="cdnv", positive=True
)
spread_ratio = _row(
    "kappa_w", r"\kappa_{\rm w}",
    "largest over smallest eigenvalue of a covariance within classes", "measures", positive=True,
)  # fmt: skip
pairs_same = _row(
    "a_same", r"a_=", "mean squared distance of two features of one class", "measures",
    nonnegative=True,
)  # fmt: skip
pairs_other = _row(
    "a_other", r"a_{\neq}", "mean squared distance of features of two classes", "measures",
    positive=True,
)  # fmt: skip

# --- collapse_levels --------------------------------------------------------------------------
part_super = _row(
    "Q_1", "Q_1", "variance of the features between super-classes", "collapse_levels",
    positive=True,
)  # fmt: skip
part_class = _row(
    "Q_2", "Q_2", "variance of the features between classes of one super-class",
    "collapse_levels", positive=True,
)  # fmt: skip
part_sample = _row(
    "Q_3", "Q_3", "variance of the features between samples of one class", "collapse_levels",
    positive=True,
)  # fmt: skip
part_view = _row(
    "Q_4", "Q_4", "variance of the features between views of one sample", "collapse_levels",
    positive=True,
)  # fmt: skip
mode_variance = _row(
    "nu_m",
    r"\nu_{\rm m}",
    "variance of the outputs along one mode",
    "collapse_levels layers",
    positive=True,
)
mode_variance_start = _row(
    "nu_m0", r"\nu_{\rm m}(0)", "that variance at the start", "collapse_levels", positive=True
)
resolved_share = _row(
    "theta_r", r"\theta_{\rm r}", "share of its end at which a level counts as resolved",
    "collapse_levels", positive=True,
)  # fmt: skip
lambda_V_coarse = _row(
    "lambda_V1", r"\lambda_{V1}", "variance between images along a mode of a coarser level",
    "collapse_levels layers", positive=True,
)  # fmt: skip
lambda_V_fine = _row(
    "lambda_V3", r"\lambda_{V3}", "variance between images along a mode of a finer level",
    "collapse_levels layers", positive=True,
)  # fmt: skip
lambda_I_fine = _row(
    "lambda_I3", r"\lambda_{I3}", "mean variance over the views of an image along that mode",
    "collapse_levels", nonnegative=True,
)  # fmt: skip
deviation_goal = _row(
    "d_g", r"d_{\rm g}", "deviation of an output at which the clock is stopped",
    "collapse_levels", positive=True,
)  # fmt: skip
node_super = _row(
    "ell_1", r"\ell_1", "length of the vector of a super-class", "collapse_levels", positive=True
)
node_class = _row(
    "ell_2", r"\ell_2", "length of the vector that a class adds", "collapse_levels", positive=True
)
node_sample = _row(
    "ell_3", r"\ell_3", "length of the vector that a sample adds", "collapse_levels",
    positive=True,
)  # fmt: skip
branch_super = _row(
    "K_1", "K_1", "number of super-classes", "collapse_levels", code="supers", positive=True,
    integer=True,
)  # fmt: skip
branch_class = _row(
    "K_2", "K_2", "classes in a super-class", "collapse_levels", code="classes", positive=True,
    integer=True,
)  # fmt: skip
branch_sample = _row(
    "K_3", "K_3", "samples in a class", "collapse_levels", code="samples", positive=True,
    integer=True,
)  # fmt: skip

# --- two_terms --------------------------------------------------------------------------------
cov_weight = _row(
    "mu_c", r"\mu_{\rm c}", "weight of VICReg's covariance term", "two_terms", code="covariance",
    nonnegative=True,
)  # fmt: skip
invariance_term = _row(
    "S_V", r"\mathcal S", "VICReg's invariance term, without its weight", "two_terms",
    code="invariance", nonnegative=True,
)  # fmt: skip
covariance_term = _row(
    "C_V", r"\mathcal C", "VICReg's covariance term, without its weight", "two_terms",
    code="covariance", nonnegative=True,
)  # fmt: skip
active_deviation = _row(
    "D_V", r"\mathcal D",
    "mean over outputs and views of variance over deviation, zero where the hinge is not active",
    "two_terms", nonnegative=True,
)  # fmt: skip
batch_count = _row(
    "n_B", r"n_{\rm B}", "what batch variances divide by, B - 1 in the released code", "two_terms",
    positive=True,
)  # fmt: skip
output_centred = _row(
    "z_c", r"\tilde z", "an output of one image, less its batch mean", "two_terms"
)
output_deviation = _row(
    "m_o", r"m_{\rm o}", "deviation of one output coordinate", "two_terms", positive=True
)
output_deviation_start = _row(
    "m_o0", r"m_{\rm o}(0)", "that deviation at the start", "two_terms", positive=True
)
feature_variance = _row(
    "t_f", r"t_{\rm f}", "variance over all views of a feature below the last layer", "two_terms",
    positive=True,
)  # fmt: skip
noise_share = _row(
    "q_n", r"q_{\rm n}", "share of the variance that lies within an image", "two_terms",
    positive=True,
)  # fmt: skip

# --- random_targets ---------------------------------------------------------------------------
rho_f = _row("rho_f", r"\rho_{\rm f}", "cosine of the features of two images", "random_targets")
r_m = _row(
    "r_mean", r"r_{\rm m}",
    "deviation over networks of the mean of a logit difference, over its deviation over images",
    "random_targets", nonnegative=True,
)  # fmt: skip
probe_accuracy = _row(
    "A_p", r"A_{\rm p}", "accuracy of a probe", "random_targets compression", code="accuracy",
    nonnegative=True,
)  # fmt: skip
majority = _row(
    "A_maj", r"A_{\rm maj}", "accuracy of always saying the largest class", "random_targets",
    code="majority", positive=True,
)  # fmt: skip
test_count = _row(
    "n_t", r"n_{\rm t}", "number of test images", "random_targets", positive=True, integer=True
)
theta_t = _row(
    "theta_t", r"\theta_{\rm t}", "angle between the direction of a target and the semantic one",
    "random_targets", nonnegative=True,
)  # fmt: skip
v_s = _row(
    "v_s", r"v_{\rm s}", "variance of the representation along the semantic direction",
    "random_targets", positive=True,
)  # fmt: skip
v_n = _row(
    "v_n", r"v_{\rm n}", "variance of the representation along the nuisance", "random_targets",
    nonnegative=True,
)  # fmt: skip
v_s0 = _row("v_s0", r"v_{\rm s}(0)", "v_s at the start", "random_targets", positive=True)
v_n0 = _row("v_n0", r"v_{\rm n}(0)", "v_n at the start", "random_targets", positive=True)
eta_s = _row(
    "eta_s", r"\eta_{\rm s}", "share of the variance between the classes of a semantic target",
    "random_targets", code="share", positive=True,
)  # fmt: skip
eta_r = _row(
    "eta_r", r"\eta_{\rm r}", "share of the variance between the classes of a random target",
    "random_targets", code="share", positive=True,
)  # fmt: skip
ratio_v = _row(
    "R_v", r"R_{\rm v}", "variance within semantic classes over that within random ones",
    "random_targets", code="variance", positive=True,
)  # fmt: skip

# --- supervised -------------------------------------------------------------------------------
apart = _row(
    "Delta_mu", r"\Delta_\mu", "distance of two class means in deviations of a feature",
    "supervised", nonnegative=True,
)  # fmt: skip
rho_c = _row(
    "rho_c", r"\rho_{\rm c}",
    "correlation of one coordinate of a feature and of the difference of two sampled means",
    "supervised",
)  # fmt: skip
a_c = _row(
    "a_c", r"a_{\rm c}", "mean of that coordinate of the difference, over its deviation",
    "supervised",
)  # fmt: skip
b_c = _row(
    "b_c", r"b_{\rm c}", "mean of that coordinate of the feature, over its deviation", "supervised"
)
s_f = _row(
    "s_f", r"s_{\rm f}", "deviation left in the directions that say nothing of the class",
    "supervised", nonnegative=True,
)  # fmt: skip
t_c = _row(
    "t_c", r"t_{\rm c}", "frequency, the variable of a characteristic function", "supervised",
    positive=True,
)  # fmt: skip
c_y = _row(
    "c_y", r"c_y", "mean product of one direction of the inputs and the target", "supervised"
)
v_aug = _row(
    "v_aug", r"v_{\rm aug}", "variance that the augmentation adds along a direction", "supervised",
    nonnegative=True,
)  # fmt: skip
v_y = _row("v_y", r"v_y", "mean square of that direction", "supervised", positive=True)
same_count = _row(
    "K_same", r"K_=", "negatives that carry the anchor's label", "supervised", nonnegative=True
)
other_count = _row(
    "K_other", r"K_{\neq}", "negatives that carry another label", "supervised", positive=True
)
same_share = _row(
    "p_same", r"p_=", "share of softmax on the negatives of the anchor's class", "supervised",
    nonnegative=True,
)  # fmt: skip

# --- layers ----------------------------------------------------------------------------------
layer = _row(
    "layer", "l", "layer, counted from the input, which is 0", "layers", code="layer",
    nonnegative=True,
)  # fmt: skip
gain_coarse = _row(
    "g_c", r"g_{\rm c}", "squared gain of the whole network along a coarse mode", "layers",
    positive=True,
)  # fmt: skip
gain_fine = _row(
    "g_f", r"g_{\rm f}", "squared gain of the whole network along a fine mode", "layers",
    positive=True,
)  # fmt: skip
within_fine = _row(
    "q_f", r"q_{\rm f}", "variance of finer modes over that of super-classes, in the input",
    "layers", positive=True,
)  # fmt: skip
within_dead = _row(
    "q_dead", r"q_{\rm dead}", "variance of dying modes over that of super-classes, in the input",
    "layers", positive=True,
)  # fmt: skip
relative_fine = _row(
    "r_f", r"r_{\rm f}", "squared gain of finer modes over that of super-classes, above 1",
    "layers", positive=True,
)  # fmt: skip
relative_dead = _row(
    "r_dead", r"r_{\rm dead}", "squared gain of dying modes over that of super-classes, below 1",
    "layers", positive=True,
)  # fmt: skip
apart_first = _row(
    "Delta_1",
    r"\Delta_1",
    "distance of two class means along the first axis",
    "layers",
    positive=True,
)
apart_second = _row(
    "Delta_2",
    r"\Delta_2",
    "distance of two class means along the second axis",
    "layers",
    positive=True,
)
spread_first = _row(
    "tau_1", r"\tau_1", "deviation within a class along the first axis", "layers",
    positive=True,
)  # fmt: skip
spread_second = _row(
    "tau_2", r"\tau_2", "deviation within a class along the second axis", "layers",
    positive=True,
)  # fmt: skip
squeeze = _row(
    "kappa_2", r"\kappa_2", "factor by which the layers so far scale the second axis", "layers",
    positive=True,
)  # fmt: skip
probe_inputs = _row(
    "n_p", r"n_{\rm p}", "inputs that a probe is fitted on", "layers", positive=True, integer=True
)
probe_width = _row(
    "d_p", r"d_{\rm p}", "features that a probe reads", "layers", positive=True, integer=True
)
full_width = _row("D_p", r"D_{\rm p}", "width of a layer", "layers", positive=True, integer=True)
told = _row(
    "rho2", r"\varrho^2", "share of a target's variance that a layer tells linearly", "layers",
    nonnegative=True,
)  # fmt: skip

SYMBOLS: tuple[Notation, ...] = tuple(_rows)
"""The table, in the order of the chapters."""

LATEX: dict[sp.Symbol, str] = {row.symbol: row.latex for row in SYMBOLS}
"""How each symbol is printed: ``sp.latex(expr, symbol_names=LATEX)``."""
