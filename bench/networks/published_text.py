"""Networks of the package transformers, each from its own configuration class."""

import torch
from torch.nn import functional as F

from row import Picked, Row, classed_texts, per_token, pictures, texts

# What most configurations call the same thing.
_SIZE = dict(vocab_size=64, hidden_size=64, num_hidden_layers=3, num_attention_heads=2, intermediate_size=128, max_position_embeddings=32,
             pad_token_id=0, bos_token_id=1, eos_token_id=2, use_cache=False, attention_dropout=0.0, attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0)
_GPT = dict(vocab_size=64, n_positions=32, n_embd=64, n_layer=3, n_head=2, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False, bos_token_id=1,
            eos_token_id=2)
_ROTARY = {**_SIZE, "num_key_value_heads": 1, "head_dim": 32}
_SEQ2SEQ = dict(vocab_size=64, d_model=64, encoder_layers=3, decoder_layers=3, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=128,
                decoder_ffn_dim=128, max_position_embeddings=32, dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, use_cache=False, pad_token_id=0,
                bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, forced_eos_token_id=None)
_T5 = dict(vocab_size=64, d_model=64, d_kv=32, d_ff=128, num_layers=3, num_decoder_layers=3, num_heads=2, dropout_rate=0.0, use_cache=False, pad_token_id=0,
           decoder_start_token_id=0)

_CUT = "width 64, 3 layers, 64 words, 16 tokens"
_DECODER, _ENCODER, _BOTH, _OTHER = "decoder transformer", "encoder transformer", "encoder-decoder transformer", "token mixers"

# name: family, configuration, model, options
_CAUSAL = {
    "gpt2": (_DECODER, "GPT2Config", "GPT2LMHeadModel", _GPT),
    "llama": (_DECODER, "LlamaConfig", "LlamaForCausalLM", _ROTARY),
    "gpt_neox": (_DECODER, "GPTNeoXConfig", "GPTNeoXForCausalLM", {**_SIZE, "hidden_dropout": 0.0}),
    "gpt_neo": (_DECODER, "GPTNeoConfig", "GPTNeoForCausalLM", dict(vocab_size=64, max_position_embeddings=32, hidden_size=64, num_layers=4, num_heads=2, window_size=8, attention_types=[[["global", "local"], 2]], resid_dropout=0.0, embed_dropout=0.0, attention_dropout=0.0, use_cache=False, bos_token_id=1, eos_token_id=2)),
    "gptj": (_DECODER, "GPTJConfig", "GPTJForCausalLM", {**_GPT, "rotary_dim": 16}),
    "opt": (_DECODER, "OPTConfig", "OPTForCausalLM", {**_SIZE, "ffn_dim": 128, "word_embed_proj_dim": 64, "dropout": 0.0}),
    "bloom": (_DECODER, "BloomConfig", "BloomForCausalLM", dict(vocab_size=64, hidden_size=64, n_layer=3, n_head=2, hidden_dropout=0.0, attention_dropout=0.0, use_cache=False, bos_token_id=1, eos_token_id=2)),
    "mistral": (_DECODER, "MistralConfig", "MistralForCausalLM", {**_ROTARY, "sliding_window": 8}),
    "qwen2": (_DECODER, "Qwen2Config", "Qwen2ForCausalLM", _ROTARY),
    "qwen3": (_DECODER, "Qwen3Config", "Qwen3ForCausalLM", _ROTARY),
    "gemma": (_DECODER, "GemmaConfig", "GemmaForCausalLM", _ROTARY),
    "gemma2": (_DECODER, "Gemma2Config", "Gemma2ForCausalLM", {**_ROTARY, "sliding_window": 8}),
    "phi": (_DECODER, "PhiConfig", "PhiForCausalLM", {**_SIZE, "resid_pdrop": 0.0, "embd_pdrop": 0.0}),
    "stablelm": (_DECODER, "StableLmConfig", "StableLmForCausalLM", {**_SIZE, "num_key_value_heads": 2}),
    "olmo": (_DECODER, "OlmoConfig", "OlmoForCausalLM", {**_SIZE, "num_key_value_heads": 1}),
    "cohere": (_DECODER, "CohereConfig", "CohereForCausalLM", {**_SIZE, "num_key_value_heads": 1}),
    "falcon": (_DECODER, "FalconConfig", "FalconForCausalLM", {**_SIZE, "hidden_dropout": 0.0, "ffn_hidden_size": 128}),
    "mpt": (_DECODER, "MptConfig", "MptForCausalLM", dict(vocab_size=64, d_model=64, n_layers=3, n_heads=2, max_seq_len=32, expansion_ratio=2, use_cache=False)),
    "mixtral": (_DECODER, "MixtralConfig", "MixtralForCausalLM", {**_ROTARY, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "mamba_of_transformers": (_OTHER, "MambaConfig", "MambaForCausalLM", dict(vocab_size=64, hidden_size=32, state_size=4, num_hidden_layers=3, use_cache=False)),
    "mamba2": (_OTHER, "Mamba2Config", "Mamba2ForCausalLM", dict(vocab_size=64, hidden_size=32, state_size=16, num_heads=4, head_dim=16, n_groups=1, num_hidden_layers=3, chunk_size=8, use_cache=False)),
    "rwkv": (_OTHER, "RwkvConfig", "RwkvForCausalLM", dict(vocab_size=64, hidden_size=32, num_hidden_layers=3, context_length=16, use_cache=False)),
    "bert": (_ENCODER, "BertConfig", "BertForMaskedLM", _SIZE),
    "albert": (_ENCODER, "AlbertConfig", "AlbertForMaskedLM", {**_SIZE, "embedding_size": 32}),
    "electra": (_ENCODER, "ElectraConfig", "ElectraForMaskedLM", {**_SIZE, "embedding_size": 32}),
    "nystromformer": (_ENCODER, "NystromformerConfig", "NystromformerForMaskedLM", {**_SIZE, "num_landmarks": 4, "segment_means_seq_len": 16}),
    "roberta": (_ENCODER, "RobertaConfig", "RobertaForMaskedLM", _SIZE),
    "deberta": (_ENCODER, "DebertaConfig", "DebertaForMaskedLM", {**_SIZE, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": 16}),
    "mpnet": (_ENCODER, "MPNetConfig", "MPNetForMaskedLM", _SIZE),
    "convbert": (_ENCODER, "ConvBertConfig", "ConvBertForMaskedLM", {**_SIZE, "embedding_size": 64, "head_ratio": 1}),
    "distilbert": (_ENCODER, "DistilBertConfig", "DistilBertForMaskedLM", dict(vocab_size=64, dim=64, n_layers=3, n_heads=2, hidden_dim=128, max_position_embeddings=32, dropout=0.0, attention_dropout=0.0)),
    "xlnet": (_DECODER, "XLNetConfig", "XLNetLMHeadModel", dict(vocab_size=64, d_model=64, n_layer=3, n_head=2, d_inner=128, dropout=0.0)),
}
_TRANSLATING = {
    "bart": ("BartConfig", "BartForConditionalGeneration", _SEQ2SEQ),
    "t5": ("T5Config", "T5ForConditionalGeneration", _T5),
    "mt5": ("MT5Config", "MT5ForConditionalGeneration", {**_T5, "feed_forward_proj": "gated-gelu"}),
    "pegasus": ("PegasusConfig", "PegasusForConditionalGeneration", _SEQ2SEQ),
    "marian": ("MarianConfig", "MarianMTModel", _SEQ2SEQ),
    "m2m100": ("M2M100Config", "M2M100ForConditionalGeneration", {**_SEQ2SEQ, "encoder_layerdrop": 0.0, "decoder_layerdrop": 0.0}),
}


class _Translating(torch.nn.Module):
    """Reads a text and its beginning as what has been said."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, text):
        return self.inner(input_ids=text, decoder_input_ids=text).logits


def _model(configuration, model, options, wrap=lambda inner: Picked(inner, "logits")):

    def make():
        import transformers
        config = getattr(transformers, configuration)(**options)
        config._attn_implementation = "eager"
        config._experts_implementation = "batched_mm"  # the others take a course that depends on values, or bfloat16
        return wrap(getattr(transformers, model)(config))

    return make


class _Two(torch.nn.Module):
    """Pictures and texts, compared with each other."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, text, picture):
        return self.inner(input_ids=text, pixel_values=picture).logits_per_image


def _pairs():
    return torch.randint(3, 64, (4, 8)), torch.randn(4, 3, 16, 16), torch.arange(4)


def _sounds(samples=400, classes=8):
    return lambda: (torch.randn(2, samples), torch.randint(0, classes, (2, )))


_PICTURE = dict(image_size=32, patch_size=8, hidden_size=64, num_hidden_layers=3, num_attention_heads=2, intermediate_size=128, hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0, num_labels=10)
_TOWER = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=2)
_WAVES = dict(hidden_size=64, num_hidden_layers=3, num_attention_heads=2, intermediate_size=128, conv_dim=(32, 32, 32), conv_stride=(5, 2, 2), conv_kernel=(10, 3, 3),
              num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, hidden_dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, feat_proj_dropout=0.0,
              layerdrop=0.0, apply_spec_augment=False, num_labels=8, classifier_proj_size=32, final_dropout=0.0, mask_time_prob=0.0)
_SEGFORMER = dict(num_encoder_blocks=4, depths=[1, 1, 1, 1], hidden_sizes=[32, 32, 64, 64], num_attention_heads=[1, 2, 2, 2], decoder_hidden_size=64, sr_ratios=[4, 2, 1, 1],
                  hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, classifier_dropout_prob=0.0, drop_path_rate=0.0, num_labels=8)


def rows():
    sourced = dict(package="transformers", source="transformers", optimizer="adamw")
    for name, (family, configuration, model, options) in _CAUSAL.items():
        yield Row(name, family, _model(configuration, model, options), texts(), cut=_CUT, loss=per_token, **sourced)
    for name, (configuration, model, options) in _TRANSLATING.items():
        yield Row(name, _BOTH, _model(configuration, model, options, _Translating), texts(), cut="width 64, 3 and 3 layers, 64 words, 16 tokens", loss=per_token, **sourced)
    cut = "a picture of 32, patches of 8, width 64, 3 of 12 layers"
    for name, configuration, model in (("vit_of_transformers", "ViTConfig", "ViTForImageClassification"), ("dinov2", "Dinov2Config", "Dinov2ForImageClassification"),
                                       ("vit_msn", "ViTMSNConfig", "ViTMSNForImageClassification")):
        yield Row(name, "vision transformer", _model(configuration, model, _PICTURE), pictures(32, 4), cut=cut, **sourced)
    yield Row("clip", "two towers", _model("CLIPConfig", "CLIPModel", dict(text_config=dict(vocab_size=64, max_position_embeddings=8, eos_token_id=2, **_TOWER), vision_config=dict(image_size=16, patch_size=8, **_TOWER), projection_dim=32), _Two),
              _pairs, cut="pictures of 16, 8 tokens, 3 of 12 layers of width 64 each", **sourced)
    yield Row("siglip", "two towers", _model("SiglipConfig", "SiglipModel", dict(text_config=dict(vocab_size=64, max_position_embeddings=8, **_TOWER), vision_config=dict(image_size=16, patch_size=8, **_TOWER)), _Two),
              _pairs, cut="pictures of 16, 8 tokens, 3 of 12 layers of width 64 each", **sourced)
    for name, configuration, model in (("wav2vec2", "Wav2Vec2Config", "Wav2Vec2ForSequenceClassification"), ("hubert", "HubertConfig", "HubertForSequenceClassification"),
                                       ("wavlm", "WavLMConfig", "WavLMForSequenceClassification"), ("unispeech", "UniSpeechConfig", "UniSpeechForSequenceClassification")):
        yield Row(name, "speech", _model(configuration, model, _WAVES), _sounds(), cut="400 samples, 3 of 7 convolutions, 3 of 12 layers of width 64", **sourced)
    yield Row("segformer", "segmentation", _model("SegformerConfig", "SegformerForSemanticSegmentation", _SEGFORMER), lambda: (torch.randn(2, 3, 32, 32), torch.randint(0, 8, (2, 8, 8))),
              cut="a picture of 32, a block a stage, widths 32 to 64", **sourced)
    yield Row("patchtst", "time series", _model("PatchTSTConfig", "PatchTSTForPrediction", dict(num_input_channels=2, context_length=32, patch_length=8, patch_stride=8, prediction_length=8, d_model=64, num_hidden_layers=3, num_attention_heads=2, ffn_dim=128, scaling=None, loss="mse", dropout=0.0, attention_dropout=0.0, head_dropout=0.0, ff_dropout=0.0, path_dropout=0.0, positional_dropout=0.0), lambda inner: Picked(inner, lambda given: given.prediction_outputs)),
              lambda: (torch.randn(4, 32, 2), torch.randn(4, 8, 2)), cut="32 moments, width 64, 3 layers", loss=F.mse_loss, **sourced)
    yield Row("text_classifier", "encoder transformer", _model("BertConfig", "BertForSequenceClassification", {**_SIZE, "num_labels": 4}), classed_texts(), cut=_CUT, **sourced)
