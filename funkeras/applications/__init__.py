"""Nets for ImageNet with their published weights."""

from funkeras.applications.inception_v3 import InceptionV3
from funkeras.applications.mobilenet import MobileNet
from funkeras.applications.resnet import ResNet50
from funkeras.applications.vgg import VGG16, VGG19
from funkeras.applications.xception import Xception

__all__ = ["VGG16", "VGG19", "InceptionV3", "MobileNet", "ResNet50", "Xception"]
