"""The examples show every way to install, and make every kind of object that the chart knows."""

from tests.helm.rendering import EXAMPLES, example

NAMES = (
    "minimal production cloudnativepg demo gateway ingress istio-canary external-secrets monitoring everything".split()
)
KINDS = (
    "ConfigMap Deployment HorizontalPodAutoscaler Ingress Job NetworkPolicy Pod PodDisruptionBudget Secret "
    "Service ServiceAccount StatefulSet "
    "Certificate Cluster DestinationRule ExternalSecret HTTPRoute PeerAuthentication Pooler "
    "PrometheusRule ServiceMonitor VirtualService"
).split()


def test_there_is_an_example_of_every_way_to_install():
    assert {path.stem for path in EXAMPLES} >= set(NAMES)


def test_examples_have_every_kind():
    assert {manifest["kind"] for path in EXAMPLES for manifest in example(path).manifests} == set(KINDS)
