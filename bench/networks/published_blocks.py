"""Networks for pictures from timm's building blocks: its classes and configurations with fewer blocks and narrower ones."""

from row import Row, pictures

_SMALL = dict(img_size=32, patch_size=8, embed_dim=64, num_classes=10)
_FOUR = dict(depths=(1, 1, 1, 1), dims=(32, 32, 64, 64), num_classes=10)


def _built(stages, **options):
    """A network of inverted residuals by timm's notation of blocks."""

    def make(timm):
        from timm.models._efficientnet_builder import decode_arch_def
        from timm.models.efficientnet import EfficientNet
        more = {name: value(timm) if callable(value) else value for name, value in options.items()}
        return EfficientNet(decode_arch_def([[stage] for stage in stages]), num_classes=10, stem_size=32, num_features=64, **more)

    return make


def _mobilenet_v3(timm):
    from timm.models._efficientnet_builder import decode_arch_def
    from timm.models.mobilenetv3 import MobileNetV3
    stages = [["ds_r1_k3_s1_c32_se0.25_nre"], ["ir_r1_k3_s2_e4_c32_nre"], ["ir_r1_k5_s2_e4_c32_se0.25"], ["ir_r1_k5_s1_e4_c64_se0.25"]]
    return MobileNetV3(decode_arch_def(stages), num_classes=10, stem_size=32, num_features=64, act_layer=timm.layers.get_act_layer("hard_swish"))


def _byo(kind, count=4, widths=(32, 32, 64, 64), stem="", groups=0, last=None, **options):
    """A network of blocks of one kind, one a stage; `last`: the kind of the last one."""

    def make(timm):
        from timm.models.byobnet import ByoBlockCfg, ByobNet, ByoModelCfg
        blocks = tuple(ByoBlockCfg(type=kind if k + 1 < count or not last else last, d=1, c=widths[k], s=2 if k else 1, gs=groups, br=1.0)
                       for k in range(count))
        return ByobNet(ByoModelCfg(blocks=blocks, stem_type=stem or "3x3", stem_chs=32, stem_pool="", **options), num_classes=10, img_size=32)

    return make


def _regnet(**options):

    def make(timm):
        from timm.models.regnet import RegNet, RegNetCfg
        return RegNet(RegNetCfg(w0=32, wa=25.0, wm=1.5, group_size=8, depth=4, **options), num_classes=10)

    return make


def _csp(variant):

    def make(timm):
        from timm.models.cspnet import CspModelCfg, CspNet, CspStagesCfg, CspStemCfg
        kind = dict(stage_type=variant, block_type="dark", bottle_ratio=(1.0, ), expand_ratio=(1.0, ))
        stages = CspStagesCfg(depth=(1, 1, 1, 1), out_chs=(32, 32, 64, 64), stride=(1, 2, 2, 2), **kind)
        return CspNet(CspModelCfg(stem=CspStemCfg(out_chs=32, kernel_size=3, stride=1, pool=""), stages=stages), num_classes=10)

    return make


_STAGES = "a picture of 32, a block a stage, widths 32 to 64"
_MIX = "a picture of 32, patches of 8, width 64, 3 blocks"
_FEW = "a picture of 32, a block of each of 4 stages, widths 32 to 64"
_META = dict(token_mixers="pooling", norm_layers="GroupNorm1NoBias")

# name: (family, what makes it of timm, what is cut)
_ROWS = {
    "densenet": ("dense", lambda timm: timm.models.densenet.DenseNet(growth_rate=32, block_config=(2, 2, 2), num_classes=10), "a picture of 32, 6 of 58 layers, 3 of 4 blocks"),
    "mobilenetv1": ("mobile", _built(["dsa_r1_k3_s1_c32", "dsa_r1_k3_s2_c64", "dsa_r1_k3_s2_c64", "dsa_r1_k3_s1_c64"]), _FEW),
    "mobilenetv2": ("mobile", _built(["ds_r1_k3_s1_c32", "ir_r1_k3_s2_e6_c32", "ir_r1_k3_s1_e6_c32", "ir_r1_k3_s2_e6_c64"], act_layer=lambda timm: timm.layers.get_act_layer("relu6")), _FEW),
    "mobilenetv3": ("mobile", _mobilenet_v3, _FEW),
    "mobilenetv4": ("mobile", _built(["cn_r1_k3_s1_e1_c32", "er_r1_k3_s2_e4_c32", "uir_r1_a3_k3_s2_e4_c32", "uir_r1_a0_k5_s1_e4_c64"]), _FEW),
    "mnasnet": ("mobile", _built(["ds_r1_k3_s1_c32", "ir_r1_k3_s2_e3_c32", "ir_r1_k5_s1_e3_c32_se0.25", "ir_r1_k3_s2_e6_c64"]), _FEW),
    "mixnet": ("mobile", _built(["ds_r1_k3_s1_c32", "ir_r1_k3.5_a1.1_p1.1_s2_e6_c32", "ir_r1_k3.5.7_s1_e6_c32_se0.5_nsw", "ir_r1_k3.5_s2_e3_c64"]), _FEW),
    "lcnet": ("mobile", _built(["dsa_r1_k3_s1_c32", "dsa_r1_k3_s2_c32", "dsa_r1_k5_s1_c64", "dsa_r1_k5_s2_c64_se0.25"], act_layer=lambda timm: timm.layers.get_act_layer("hard_swish")), _FEW),
    "efficientnet": ("efficientnet", _built(["ds_r1_k3_s1_e1_c32_se0.25", "ir_r1_k3_s2_e6_c32_se0.25", "ir_r1_k5_s1_e6_c32_se0.25", "ir_r1_k3_s2_e6_c64_se0.25"], act_layer=lambda timm: timm.layers.get_act_layer("swish")), _FEW),
    "efficientnet_lite": ("efficientnet", _built(["ds_r1_k3_s1_e1_c32", "ir_r1_k3_s2_e6_c32", "ir_r1_k5_s1_e6_c32", "ir_r1_k3_s2_e6_c64"], act_layer=lambda timm: timm.layers.get_act_layer("relu6")), _FEW),
    "efficientnetv2": ("efficientnet", _built(["cn_r1_k3_s1_e1_c32_skip", "er_r1_k3_s2_e4_c32", "er_r1_k3_s1_e4_c32", "ir_r1_k3_s2_e4_c64_se0.25"], act_layer=lambda timm: timm.layers.get_act_layer("swish")), _FEW),
    "efficientnet_condconv": ("efficientnet", _built(["ds_r1_k3_s1_e1_c32_se0.25", "ir_r1_k3_s2_e4_c32_se0.25", "ir_r1_k3_s1_e4_c32_se0.25_cc4", "ir_r1_k3_s2_e4_c64_se0.25_cc4"], act_layer=lambda timm: timm.layers.get_act_layer("swish")), _FEW),
    "regnetx": ("regnet", _regnet(), "a picture of 32, 4 blocks, widths 32 to 104"),
    "regnety": ("regnet", _regnet(se_ratio=0.25), "a picture of 32, 4 blocks, widths 32 to 104"),
    "regnetv": ("regnet", _regnet(downsample="avg", preact=True, act_layer="silu"), "a picture of 32, 4 blocks, widths 32 to 104"),
    "repvgg": ("reparametrised", _byo("rep", stem="rep"), _STAGES),
    "mobileone": ("reparametrised", _byo("one", stem="one"), _STAGES),
    "darknet53": ("aggregated", _byo("dark"), _STAGES),
    "gernet": ("aggregated", _byo("basic", last="bottle"), _STAGES),
    "cbam_resnet": ("attention in convolutions", _byo("bottle", attn_layer="cbam"), _STAGES),
    "gcresnet": ("attention in convolutions", _byo("bottle", attn_layer="gca"), _STAGES),
    "efficient_channel_attention": ("attention in convolutions", _byo("bottle", attn_layer="eca"), _STAGES),
    "bottleneck_attention": ("attention in convolutions", _byo("bottle", last="self_attn", self_attn_layer="bottleneck", self_attn_kwargs=dict()), _STAGES),
    "lambda_network": ("attention in convolutions", _byo("bottle", last="self_attn", self_attn_layer="lambda", self_attn_kwargs=dict(r=3)), _STAGES),
    "halo_network": ("attention in convolutions", _byo("bottle", last="self_attn", self_attn_layer="halo", self_attn_kwargs=dict(block_size=2, halo_size=1)), _STAGES),
    "convmixer": ("mixer", lambda timm: timm.models.convmixer.ConvMixer(64, 3, kernel_size=5, patch_size=4, num_classes=10), "a picture of 32, width 64, 3 of 32 blocks"),
    "mlp_mixer": ("mixer", lambda timm: timm.models.mlp_mixer.MlpMixer(num_blocks=3, **_SMALL), _MIX),
    "resmlp": ("mixer", lambda timm: timm.models.mlp_mixer.MlpMixer(num_blocks=3, mlp_ratio=4, block_layer=timm.models.mlp_mixer.ResBlock, norm_layer=timm.models.mlp_mixer.Affine, **_SMALL), _MIX),
    "gmlp": ("mixer", lambda timm: timm.models.mlp_mixer.MlpMixer(num_blocks=3, mlp_ratio=6, block_layer=timm.models.mlp_mixer.SpatialGatingBlock, mlp_layer=timm.layers.GatedMlp, **_SMALL), _MIX),
    "poolformer": ("conv transformer", lambda timm: timm.models.metaformer.MetaFormer(mlp_act=__import__("torch").nn.GELU, token_mixers=timm.models.metaformer.Pooling, norm_layers=timm.layers.GroupNorm1, use_mlp_head=False, layer_scale_init_values=1e-5, res_scale_init_values=None, downsample_norm=None, **_FOUR), _STAGES),
    "convformer": ("conv transformer", lambda timm: timm.models.metaformer.MetaFormer(token_mixers=timm.models.metaformer.SepConv, norm_layers=timm.models.metaformer.LayerNorm2dNoBias, **_FOUR), _STAGES),
    "caformer": ("conv transformer", lambda timm: timm.models.metaformer.MetaFormer(token_mixers=[timm.models.metaformer.SepConv] * 2 + [timm.models.metaformer.Attention] * 2, norm_layers=[timm.models.metaformer.LayerNorm2dNoBias] * 2 + [timm.models.metaformer.LayerNormNoBias] * 2, **_FOUR), _STAGES),
    "nest": ("window transformer", lambda timm: timm.models.nest.Nest(img_size=32, patch_size=2, embed_dims=(32, 32, 64), depths=(1, 1, 1), num_heads=(2, 2, 2), num_classes=10), _STAGES),
    "pvt_v2": ("window transformer", lambda timm: timm.models.pvt_v2.PyramidVisionTransformerV2(depths=(1, 1, 1, 1), embed_dims=(32, 32, 64, 64), num_heads=(1, 2, 2, 2), num_classes=10), "a picture of 64, a block a stage, widths 32 to 64"),
    "davit": ("window transformer", lambda timm: timm.models.davit.DaVit(depths=(1, 1, 1, 1), embed_dims=(32, 32, 64, 64), num_heads=(2, 2, 2, 2), window_size=2, num_classes=10), _STAGES),
    "hiera": ("window transformer", lambda timm: timm.models.hiera.Hiera(img_size=(64, 64), embed_dim=32, stages=(1, 1, 1), q_pool=2, mask_unit_size=(4, 4), num_classes=10), "a picture of 64, 3 blocks, width 32"),
    "starnet": ("mobile", lambda timm: timm.models.starnet.StarNet(base_dim=32, depths=[1, 1, 1], mlp_ratio=3, num_classes=10), "a picture of 32, 3 blocks"),
    "fasternet": ("mobile", lambda timm: timm.models.fasternet.FasterNet(embed_dim=32, depths=(1, 1, 1), feature_dim=64, num_classes=10), "a picture of 32, 3 blocks"),
    "tnt": ("vision transformer", lambda timm: timm.models.tnt.TNT(img_size=32, embed_dim=64, inner_dim=32, depth=3, num_heads_inner=2, num_heads_outer=2, num_classes=10), "a picture of 32, width 64, 3 of 12 blocks"),
    "volo": ("vision transformer", lambda timm: timm.models.volo.VOLO(layers=(1, 1, 1, 1), img_size=32, patch_size=4, stem_hidden_dim=32, embed_dims=(32, 64, 64, 64), num_heads=(2, 2, 2, 2), use_mix_token=False, num_classes=10), "a picture of 32, 4 blocks, widths 32 to 64"),
}
_SIZES = {"pvt_v2": 64, "gcvit": 64, "hiera": 64}


def _made(build):

    def make():
        import timm
        return build(timm)

    return make


def rows():
    for name, (family, build, cut) in _ROWS.items():
        yield Row(name, family, _made(build), pictures(_SIZES.get(name, 32), 4), cut, "timm", package="timm")
