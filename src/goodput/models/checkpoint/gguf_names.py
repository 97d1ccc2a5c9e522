"""GGUF's tensor names in Hugging Face's terms."""

from __future__ import annotations

import re

from goodput.models.checkpoint import gemma3

_TOP = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_IN_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
# Gemma has four norms a layer, and gives the name of Llama's second to what comes before it.
_IN_GEMMA3_LAYER = _IN_LAYER | {
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_LAYER = re.compile(r"blk\.(\d{1,6})\.([a-z_]+)\.(weight|bias)")


def hugging_face_name(name: str, model_type: str) -> str | None:
    """``blk.3.attn_q.weight`` → ``model.layers.3.self_attn.q_proj.weight``; None when unknown."""
    if name in _TOP:
        return _TOP[name]
    in_layer = _IN_GEMMA3_LAYER if model_type == gemma3.MODEL_TYPE else _IN_LAYER
    match = _LAYER.fullmatch(name)
    if match is None or match[2] not in in_layer:
        return None
    return f"model.layers.{int(match[1])}.{in_layer[match[2]]}.{match[3]}"
