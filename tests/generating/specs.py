"""``VirtualMachineInstance.spec``: every field that verdicts depend on, and many of the others."""

from hypothesis import strategies as st

from tests.generating.words import (
    ANY_TEXT,
    ARCHITECTURES,
    BOOLEANS,
    CLAIMS,
    CPU_MODELS,
    EMPTY,
    EVICTION_STRATEGIES,
    MEDIATED,
    NETWORKS,
    SIZES,
    VOLUMES,
    Manifests,
    fields,
    merged,
    name_of,
    one_of_fields,
    some,
)

PORTS = fields(
    {"port": st.sampled_from((22, 80, 49151, 49152, 49153, 49154, 65535))},
    name=st.sampled_from(("ssh", "web")),
    protocol=st.sampled_from(("TCP", "UDP")),
)
PORT_RANGES = fields(
    {
        "start": st.sampled_from((1, 49000, 49153)),
        "end": st.sampled_from((100, 49152, 50000)),
        "protocol": st.sampled_from(("TCP", "UDP")),
    }
)


def interfaces() -> Manifests:
    """An interface with any binding, or with none."""
    binding = st.one_of(
        one_of_fields(masquerade=EMPTY, bridge=EMPTY),
        one_of_fields(
            sriov=EMPTY,
            slirp=EMPTY,
            macvtap=EMPTY,
            passt=EMPTY,
            passtBinding=EMPTY,
            binding=fields({"name": st.sampled_from(("passt", "l2bridge", "unregistered"))}),
        ),
        EMPTY,
        st.just({"masquerade": {}, "bridge": {}}),
    )
    named = fields(
        {"name": name_of(NETWORKS)},
        model=st.just("virtio"),
        macAddress=st.just("02:00:00:00:00:01"),
        ports=st.lists(PORTS, min_size=1, max_size=3),
        portRanges=st.lists(PORT_RANGES, max_size=1),
    )
    return merged(named, binding)


def vmi_networks() -> Manifests:
    """An entry of ``spec.networks``: the pod network or one of Multus."""
    multus = fields(
        {"networkName": st.sampled_from(("blue-net", "neighbour/green-net"))},
        default=BOOLEANS,
    )
    any_name = merged(fields({"name": name_of(NETWORKS)}), one_of_fields(pod=EMPTY, multus=multus))
    return st.one_of(st.just({"name": NETWORKS[0], "pod": {}}), any_name)


def volumes() -> Manifests:
    """A volume of any source."""
    claim = fields({"claimName": name_of(CLAIMS)}, readOnly=BOOLEANS, hotpluggable=BOOLEANS)
    on_claims = one_of_fields(
        persistentVolumeClaim=claim,
        dataVolume=fields({"name": name_of(CLAIMS)}, hotpluggable=BOOLEANS),
        ephemeral=fields({"persistentVolumeClaim": fields({"claimName": name_of(CLAIMS)}, readOnly=BOOLEANS)}),
        memoryDump=fields({"claimName": name_of(CLAIMS)}, hotpluggable=BOOLEANS),
    )
    others = one_of_fields(
        hostDisk=fields(
            {"path": st.just("/var/lib/disk.img"), "type": st.sampled_from(("Disk", "DiskOrCreate"))},
            shared=BOOLEANS,
            capacity=SIZES,
        ),
        containerDisk=st.just({"image": "registry.example.org/disk:1"}),
        emptyDisk=fields({"capacity": SIZES}),
        cloudInitNoCloud=fields(userData=ANY_TEXT, networkData=ANY_TEXT),
        cloudInitConfigDrive=fields(userDataBase64=st.just("I2Nsb3VkLWNvbmZpZwo=")),
        configMap=st.just({"name": "settings"}),
        secret=st.just({"secretName": "password"}),
        sysprep=st.just({"secret": {"name": "answers"}}),
        serviceAccount=st.just({"serviceAccountName": "vm"}),
        downwardMetrics=EMPTY,
    )
    return merged(fields({"name": name_of(VOLUMES)}), st.one_of(on_claims, others))


def disks() -> Manifests:
    """A disk, cdrom or lun; one without a target is a disk."""
    target = st.one_of(
        one_of_fields(
            disk=fields(bus=st.just("virtio"), readonly=BOOLEANS),
            cdrom=fields(bus=st.just("sata"), readonly=BOOLEANS),
            lun=fields(readonly=BOOLEANS, reservation=BOOLEANS),
        ),
        EMPTY,
    )
    named = fields(
        {"name": name_of(VOLUMES)},
        cache=st.sampled_from(("none", "writeback", "writethrough")),
        shareable=BOOLEANS,
        bootOrder=st.integers(1, 3),
    )
    return merged(named, target)


def devices() -> Manifests:
    """``domain.devices``."""
    device = fields(
        {"name": st.sampled_from(("first", "second"))},
        deviceName=st.sampled_from((MEDIATED, "nvidia.com/A10")),
        claimName=st.just("gpu-claim"),
        requestName=st.just("gpu"),
    )
    return fields(
        autoattachPodInterface=BOOLEANS,
        disks=some(disks(), 3),
        interfaces=some(interfaces(), 3),
        filesystems=some(fields({"name": name_of(VOLUMES), "virtiofs": EMPTY}), 1),
        gpus=some(device),
        hostDevices=some(device, 1),
        tpm=fields(enabled=BOOLEANS, persistent=BOOLEANS),
        rng=EMPTY,
        clientPassthrough=EMPTY,
    )


def cpus() -> Manifests:
    """``domain.cpu``."""
    feature = fields(
        {"name": st.sampled_from(("invtsc", "vmx"))},
        policy=st.sampled_from(("force", "require", "optional", "disable", "forbid")),
    )
    return fields(
        cores=st.integers(1, 4),
        model=CPU_MODELS,
        features=some(feature),
        dedicatedCpuPlacement=BOOLEANS,
        isolateEmulatorThread=BOOLEANS,
    )


def features() -> Manifests:
    """``domain.features``; ``{}`` and ``enabled`` mean different things to different features."""
    state = fields(enabled=BOOLEANS)
    return fields(
        acpi=state,
        hyperv=fields(reenlightenment=state, relaxed=state, synic=state),
        hypervPassthrough=state,
    )


def domains() -> Manifests:
    """``spec.domain``."""
    bootloader = st.one_of(one_of_fields(efi=fields(persistent=BOOLEANS, secureBoot=BOOLEANS), bios=EMPTY), EMPTY)
    return fields(
        {"devices": devices()},
        cpu=cpus(),
        features=features(),
        firmware=fields(bootloader=bootloader, uuid=st.just("5d307ca9-b3ef-428c-8861-06e72d69f223")),
        launchSecurity=st.one_of(EMPTY, one_of_fields(sev=EMPTY, snp=EMPTY, tdx=EMPTY)),
        memory=fields(guest=SIZES),
        resources=fields(requests=fields(memory=SIZES, cpu=st.sampled_from((1, "500m")))),
    )


def specs() -> Manifests:
    """``VirtualMachineInstance.spec``."""
    return fields(
        {"domain": domains(), "volumes": some(volumes(), 4)},
        networks=some(vmi_networks(), 3),
        utilityVolumes=some(fields({"name": st.just("backup"), "claimName": name_of(CLAIMS)}), 1),
        architecture=ARCHITECTURES,
        evictionStrategy=EVICTION_STRATEGIES,
        nodeSelector=st.dictionaries(st.just("kubernetes.io/hostname"), st.just("node01"), max_size=1),
        terminationGracePeriodSeconds=st.sampled_from((0, 30)),
    )
