"""Names of `keras.backend` that stand for objects of TensorFlow, Theano or CNTK: what to use."""

__all__ = ["REFUSED"]

_SESSION = "there is no session: functions and models hold their compiled programs"
_LIBRARY = "JAX computes here: use the functions of keras.backend, or jax.numpy"
_STEPS = "it is a step of Theano's cost: use ctc_batch_cost"
_CNTK = "CNTK's axes have no counterpart: arrays here have all of theirs"

REFUSED: dict[str, str] = {
    **dict.fromkeys(("get_session", "set_session"), _SESSION),
    **dict.fromkeys(("tf", "tensorflow", "theano", "T", "th", "C", "cntk"), _LIBRARY),
    **dict.fromkeys(("ctc_ops", "control_flow_ops", "functional_ops", "moving_averages"), _LIBRARY),
    **dict.fromkeys(("ctc_cost", "ctc_path_probs", "ctc_update_log_p"), _STEPS),
    **dict.fromkeys(("ctc_interleave_blanks", "ctc_create_skip_idxs"), _STEPS),
    **dict.fromkeys(("ConvertToBatch", "ConvertToStatic", "ReshapeBatch", "LambdaFunc"), _CNTK),
    **dict.fromkeys(("get_num_dynamic_axis", "has_seq_axis", "pad"), _CNTK),
    **dict.fromkeys(("enable_tf_random_generator", "disable_tf_random_generator"), _LIBRARY),
    **dict.fromkeys(("is_tf_random_generator_enabled", "track_variable"), _LIBRARY),
}
"""Name → what to use instead."""
