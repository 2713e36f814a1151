"""Nets for ImageNet with their published weights."""

from funkeras.applications.densenet import DenseNet121, DenseNet169, DenseNet201
from funkeras.applications.inception_resnet_v2 import InceptionResNetV2
from funkeras.applications.inception_v3 import InceptionV3
from funkeras.applications.mobilenet import MobileNet
from funkeras.applications.mobilenet_v2 import MobileNetV2
from funkeras.applications.nasnet import NASNetLarge, NASNetMobile
from funkeras.applications.resnet import ResNet50
from funkeras.applications.vgg import VGG16, VGG19
from funkeras.applications.xception import Xception

__all__ = [
    "VGG16",
    "VGG19",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet50",
    "Xception",
]
