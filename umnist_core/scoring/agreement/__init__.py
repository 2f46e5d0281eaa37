"""People and models on the same images: who errs where, together with whom, and how hard it was.

Needs NumPy and SciPy alone. docs/people-and-models.md explains every figure.
"""

from .kappa import DRAWS, PAIRS, ErrorConsistency, Kappa, kappa_matrix
from .latent import Latent, fit_latent
from .marks import KINDS, MODEL, PERSON, Marks
from .paired import PairedTest, RankCorrelation, compare_paired, rank_correlation, time_scores
from .psychometric import (
    GUESS,
    Bounded,
    PsychometricFit,
    fit_psychometric,
    fit_psychometric_by_people,
)
from .scale import MixedModel, ModelEffect, OnScale, Scale, fit_scale, mixed_model

__all__ = [
    "DRAWS",
    "GUESS",
    "KINDS",
    "MODEL",
    "PAIRS",
    "PERSON",
    "Bounded",
    "ErrorConsistency",
    "Kappa",
    "Latent",
    "Marks",
    "MixedModel",
    "ModelEffect",
    "OnScale",
    "PairedTest",
    "PsychometricFit",
    "RankCorrelation",
    "Scale",
    "compare_paired",
    "fit_latent",
    "fit_psychometric",
    "fit_psychometric_by_people",
    "fit_scale",
    "kappa_matrix",
    "mixed_model",
    "rank_correlation",
    "time_scores",
]
