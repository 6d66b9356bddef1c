"""Networks for images: encoders [B, 3, H, W] -> [B, features] and heads [B, d] -> [B, d'].

One network, no seeds axis: at this size products fill the machine, and seeds run one after another.
"""

from ssl_dynamics.networks.vision.convolution import ENCODER_NORMS
from ssl_dynamics.networks.vision.encoder import Encoder, gridded, pooled
from ssl_dynamics.networks.vision.heads import HEAD_NORMS, FeatureNorm, head
from ssl_dynamics.networks.vision.named import ENCODERS, check_encoder, encoder
from ssl_dynamics.networks.vision.resnet import res_lh, resnet18
from ssl_dynamics.networks.vision.small import small, tiny

__all__ = [
    "ENCODERS",
    "ENCODER_NORMS",
    "HEAD_NORMS",
    "Encoder",
    "FeatureNorm",
    "check_encoder",
    "encoder",
    "gridded",
    "head",
    "pooled",
    "res_lh",
    "resnet18",
    "small",
    "tiny",
]
