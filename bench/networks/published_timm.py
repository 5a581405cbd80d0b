"""Networks for pictures from the package timm, each by its own configuration with what is cut of it."""

from row import Row, pictures

_DATA = pictures(32, 4)


def _create(name, options):

    def make():
        import timm
        return timm.create_model(name, num_classes=10, **options)

    return make


def _from(function):
    """A network whose configuration is an object of timm's."""

    def make():
        import timm
        return function(timm.models)

    return make


def _vit(**options):
    return {"img_size": 32, "patch_size": 8, **options}


_VIT = "a picture of 32, patches of 8, width 64, 3 of 12 blocks"
_SMALL_VIT = dict(embed_dim=64, depth=3, num_heads=2)
_STAGES = "a picture of 32, a block a stage, widths 32 to 64"

# name: family, options, what is cut
_BY_NAME = {
    "resnet18": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 64, 64)), _STAGES),
    "resnet18d": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 64, 64)), _STAGES),
    "resnet26": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 32, 32)), "a picture of 32, 4 of 8 blocks, widths a half to a 16th"),
    "resnet50": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 32, 64)), "a picture of 32, 4 of 16 blocks, widths a half to an eighth"),
    "resnext50_32x4d": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 32, 64), cardinality=8, base_width=16), "a picture of 32, 4 of 16 blocks, 8 groups"),
    "wide_resnet50_2": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 32, 32)), "a picture of 32, 4 of 16 blocks, widths a half to a 16th"),
    "seresnet18": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 64, 64)), _STAGES),
    "skresnet18": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 64, 64)), _STAGES),
    "ecaresnet26t": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 32, 32)), "a picture of 32, 4 of 8 blocks"),
    "resnetv2_50": ("residual", dict(layers=(1, 1, 1, 1), channels=(64, 64, 64, 128), stem_chs=32), "a picture of 32, 4 of 16 blocks"),
    "res2net50d": ("residual", dict(layers=(1, 1, 1, 1), channels=(32, 32, 64, 64)), "a picture of 32, 4 of 16 blocks"),
    "resnest14d": ("residual", dict(channels=(32, 32, 64, 64)), "a picture of 32, widths"),
    "convnext_atto": ("convnext", dict(depths=(1, 1, 1, 1), dims=(32, 32, 64, 64)), _STAGES),
    "convnextv2_atto": ("convnext", dict(depths=(1, 1, 1, 1), dims=(32, 32, 64, 64)), _STAGES),
    "inception_next_atto": ("convnext", dict(depths=(1, 1, 1, 1), dims=(32, 32, 64, 64)), _STAGES),
    "mambaout_femto": ("convnext", dict(depths=(1, 1, 1, 1), dims=(32, 32, 64, 64)), _STAGES),
    "sequencer2d_s": ("mixer", dict(layers=(1, 1, 1, 1), embed_dims=(32, 32, 64, 64), hidden_sizes=(32, 32, 32, 32)), "a picture of 32, a block a stage"),
    "vit_tiny_patch16_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "vit_relpos_small_patch16_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "vit_srelpos_small_patch16_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "deit_tiny_distilled_patch16_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "deit3_small_patch16_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "cait_xxs24_224": ("vision transformer", _vit(**_SMALL_VIT), "a picture of 32, patches of 8, width 64, 3 of 24 blocks"),
    "beit_base_patch16_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "beitv2_base_patch16_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "eva02_tiny_patch14_224": ("vision transformer", _vit(**_SMALL_VIT), _VIT),
    "xcit_nano_12_p16_224": ("vision transformer", dict(img_size=32, patch_size=8, **_SMALL_VIT), _VIT),
    "convit_tiny": ("vision transformer", _vit(embed_dim=32, depth=3, num_heads=2, local_up_to_layer=2), _VIT),
    "visformer_tiny": ("vision transformer", dict(img_size=32, embed_dim=64, depth=(1, 1, 1), num_heads=2, init_channels=32), "a picture of 32, a block a stage"),
    "pit_ti_224": ("vision transformer", dict(img_size=32, patch_size=8, stride=4, base_dims=[32, 32, 32], depth=[1, 1, 1], heads=[1, 2, 2]), "a picture of 32, a block a stage"),
    "levit_128s": ("vision transformer", dict(img_size=64, embed_dim=(32, 64, 64), key_dim=16, num_heads=(2, 2, 2), depth=(1, 1, 1)), "a picture of 64, a block a stage"),
    "swin_tiny_patch4_window7_224": ("window transformer", dict(img_size=32, window_size=4, embed_dim=32, depths=(2, 2), num_heads=(2, 2)), "a picture of 32, windows of 4, width 32, 4 of 12 blocks"),
    "swinv2_tiny_window8_256": ("window transformer", dict(img_size=32, window_size=4, embed_dim=32, depths=(2, 2), num_heads=(2, 2)), "a picture of 32, windows of 4, width 32, 4 of 12 blocks"),
    "twins_svt_small": ("window transformer", dict(img_size=64, embed_dims=[32, 32, 64, 64], depths=[1, 1, 2, 1], num_heads=[2, 2, 2, 2], wss=[4, 4, 2, 2]), "a picture of 64, a block a stage"),
    "twins_pcpvt_small": ("window transformer", dict(img_size=64, embed_dims=[32, 32, 64, 64], depths=[1, 1, 1, 1], num_heads=[2, 2, 2, 2]), "a picture of 64, a block a stage"),
    "coatnet_pico_rw_224": ("conv transformer", dict(img_size=64, depths=(1, 1, 1, 1), embed_dim=(32, 32, 64, 64), stem_width=32), "a picture of 64, a block a stage"),
    "edgenext_xx_small": ("conv transformer", dict(depths=(1, 1, 1, 1), dims=(32, 32, 64, 64), global_block_counts=(0, 1, 1, 1)), _STAGES),
    "efficientvit_m0": ("conv transformer", dict(img_size=64, embed_dim=(32, 32, 64), depth=(1, 1, 1), num_heads=(2, 2, 2), window_size=(4, 2, 1)), "a picture of 64, a block a stage"),
    "repvit_m0_9": ("conv transformer", dict(embed_dim=(32, 32, 64, 64), depth=(1, 1, 1, 1)), _STAGES),
    "fastvit_t8": ("conv transformer", dict(layers=(1, 1, 1, 1), embed_dims=(32, 32, 64, 64)), _STAGES),
}
_SIZES = {"levit_128s": 64, "twins_svt_small": 64, "twins_pcpvt_small": 64, "pvt_v2_b0": 64, "maxvit_rmlp_pico_rw_256": 64, "coatnet_pico_rw_224": 64, "efficientvit_m0": 64,
          "hiera_tiny_224": 64, "mvitv2_tiny": 64, "gcvit_xxtiny": 64}


def rows():
    for name, (family, options, cut) in _BY_NAME.items():
        yield Row(name, family, _create(name, options), pictures(_SIZES.get(name, 32), 4), cut, "timm", package="timm")
