// Made by tools/make-schema. Do not edit.
// swift-format-ignore-file

/// Fields of API messages, packed; see `SchemaParser`.
let schemaData: StaticString = #"""
#api.apps.v1
=Deployment
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .DeploymentSpec
status 3 .DeploymentStatus
=DeploymentCondition
type 1 s r
status 2 s r
lastUpdateTime 6 apimachinery.pkg.apis.meta.v1.Time
lastTransitionTime 7 apimachinery.pkg.apis.meta.v1.Time
reason 4 s
message 5 s
=DeploymentList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Deployment r
=DeploymentSpec
replicas 1 i p
selector 2 apimachinery.pkg.apis.meta.v1.LabelSelector r
template 3 api.core.v1.PodTemplateSpec r
strategy 4 .DeploymentStrategy PretainKeys
minReadySeconds 5 i
revisionHistoryLimit 6 i p
paused 7 b
progressDeadlineSeconds 9 i p
=DeploymentStatus
observedGeneration 1 l
replicas 2 i
updatedReplicas 3 i
readyReplicas 7 i
availableReplicas 4 i
unavailableReplicas 5 i
terminatingReplicas 9 i p
conditions 6 *.DeploymentCondition Lmap Ktype Pmerge Mtype
collisionCount 8 i p
=DeploymentStrategy
type 1 s
rollingUpdate 2 .RollingUpdateDeployment
=ReplicaSet
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .ReplicaSetSpec
status 3 .ReplicaSetStatus
=ReplicaSetCondition
type 1 s r
status 2 s r
lastTransitionTime 3 apimachinery.pkg.apis.meta.v1.Time
reason 4 s
message 5 s
=ReplicaSetList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.ReplicaSet r
=ReplicaSetSpec
replicas 1 i p
minReadySeconds 4 i
selector 2 apimachinery.pkg.apis.meta.v1.LabelSelector r
template 3 api.core.v1.PodTemplateSpec
=ReplicaSetStatus
replicas 1 i r D0
fullyLabeledReplicas 2 i
readyReplicas 4 i
availableReplicas 5 i
terminatingReplicas 7 i p
observedGeneration 3 l
conditions 6 *.ReplicaSetCondition Lmap Ktype Pmerge Mtype
=RollingUpdateDeployment
maxUnavailable 1 apimachinery.pkg.util.intstr.IntOrString
maxSurge 2 apimachinery.pkg.util.intstr.IntOrString
#api.autoscaling.v1
=Scale
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .ScaleSpec
status 3 .ScaleStatus
=ScaleSpec
replicas 1 i D0
=ScaleStatus
replicas 1 i r D0
selector 2 s
#api.coordination.v1
=Lease
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .LeaseSpec
=LeaseList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Lease r
=LeaseSpec
holderIdentity 1 s p
leaseDurationSeconds 2 i p
acquireTime 3 apimachinery.pkg.apis.meta.v1.MicroTime
renewTime 4 apimachinery.pkg.apis.meta.v1.MicroTime
leaseTransitions 5 i p
strategy 6 s p
preferredHolder 7 s p
#api.core.v1
=AWSElasticBlockStoreVolumeSource
volumeID 1 s r
fsType 2 s
partition 3 i
readOnly 4 b
=Affinity
nodeAffinity 1 .NodeAffinity
podAffinity 2 .PodAffinity
podAntiAffinity 3 .PodAntiAffinity
=AppArmorProfile
type 1 s r
localhostProfile 2 s p
=AttachedVolume
name 1 s r
devicePath 2 s r
=AzureDiskVolumeSource
diskName 1 s r
diskURI 2 s r
cachingMode 3 s p D"ReadWrite"
fsType 4 s p D"ext4"
readOnly 5 b p Dfalse
kind 6 s p D"Shared"
=AzureFileVolumeSource
secretName 1 s r
shareName 2 s r
readOnly 3 b
=Binding
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
target 2 .ObjectReference r
=CSIVolumeSource
driver 1 s r
readOnly 2 b p
fsType 3 s p
volumeAttributes 4 %s
nodePublishSecretRef 5 .LocalObjectReference
=Capabilities
add 1 *s Latomic
drop 2 *s Latomic
=CephFSVolumeSource
monitors 1 *s r Latomic
path 2 s
user 3 s
secretFile 4 s
secretRef 5 .LocalObjectReference
readOnly 6 b
=CinderVolumeSource
volumeID 1 s r
fsType 2 s
readOnly 3 b
secretRef 4 .LocalObjectReference
=ClientIPConfig
timeoutSeconds 1 i p
=ClusterTrustBundleProjection
name 1 s p
signerName 2 s p
labelSelector 3 apimachinery.pkg.apis.meta.v1.LabelSelector
optional 5 b p
path 4 s r
=ConfigMap
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
immutable 4 b p
data 2 %s
binaryData 3 %y
=ConfigMapEnvSource
localObjectReference 1 .LocalObjectReference n
optional 2 b p
=ConfigMapKeySelector
localObjectReference 1 .LocalObjectReference n
key 2 s r
optional 3 b p
=ConfigMapList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.ConfigMap r
=ConfigMapNodeConfigSource
namespace 1 s r
name 2 s r
uid 3 s
resourceVersion 4 s
kubeletConfigKey 5 s r
=ConfigMapProjection
localObjectReference 1 .LocalObjectReference n
items 2 *.KeyToPath Latomic
optional 4 b p
=ConfigMapVolumeSource
localObjectReference 1 .LocalObjectReference n
items 2 *.KeyToPath Latomic
defaultMode 3 i p
optional 4 b p
=Container
name 1 s r
image 2 s
command 3 *s Latomic
args 4 *s Latomic
workingDir 5 s
ports 6 *.ContainerPort Lmap KcontainerPort,protocol Pmerge McontainerPort
envFrom 19 *.EnvFromSource Latomic
env 7 *.EnvVar Lmap Kname Pmerge Mname
resources 8 .ResourceRequirements
resizePolicy 23 *.ContainerResizePolicy Latomic
restartPolicy 24 s p
restartPolicyRules 25 *.ContainerRestartRule Latomic
volumeMounts 9 *.VolumeMount Lmap KmountPath Pmerge MmountPath
volumeDevices 21 *.VolumeDevice Lmap KdevicePath Pmerge MdevicePath
livenessProbe 10 .Probe
readinessProbe 11 .Probe
startupProbe 22 .Probe
lifecycle 12 .Lifecycle
terminationMessagePath 13 s
terminationMessagePolicy 20 s
imagePullPolicy 14 s
securityContext 15 .SecurityContext
stdin 16 b
stdinOnce 17 b
tty 18 b
=ContainerExtendedResourceRequest
containerName 1 s r
resourceName 2 s r
requestName 3 s r
=ContainerImage
names 1 *s Latomic
sizeBytes 2 l
=ContainerPort
name 1 s
hostPort 2 i
containerPort 3 i r D0
protocol 4 s D"TCP"
hostIP 5 s
=ContainerResizePolicy
resourceName 1 s r
restartPolicy 2 s r
=ContainerRestartRule
action 1 s r
exitCodes 2 .ContainerRestartRuleOnExitCodes
=ContainerRestartRuleOnExitCodes
operator 1 s r
values 2 *i Lset
=ContainerState
waiting 1 .ContainerStateWaiting
running 2 .ContainerStateRunning
terminated 3 .ContainerStateTerminated
=ContainerStateRunning
startedAt 1 apimachinery.pkg.apis.meta.v1.Time
=ContainerStateTerminated
exitCode 1 i r D0
signal 2 i
reason 3 s
message 4 s
startedAt 5 apimachinery.pkg.apis.meta.v1.Time
finishedAt 6 apimachinery.pkg.apis.meta.v1.Time
containerID 7 s
=ContainerStateWaiting
reason 1 s
message 2 s
=ContainerStatus
name 1 s r
state 2 .ContainerState
lastState 3 .ContainerState
ready 4 b r Dfalse
restartCount 5 i r D0
image 6 s r
imageID 7 s r
containerID 8 s
started 9 b p
allocatedResources 10 %apimachinery.pkg.api.resource.Quantity
resources 11 .ResourceRequirements
volumeMounts 12 *.VolumeMountStatus Lmap KmountPath Pmerge MmountPath
user 13 .ContainerUser
allocatedResourcesStatus 14 *.ResourceStatus Lmap Kname Pmerge Mname
stopSignal 15 s p
=ContainerUser
linux 1 .LinuxContainerUser
=DaemonEndpoint
Port 1 i r D0
=DownwardAPIProjection
items 1 *.DownwardAPIVolumeFile Latomic
=DownwardAPIVolumeFile
path 1 s r
fieldRef 2 .ObjectFieldSelector
resourceFieldRef 3 .ResourceFieldSelector
mode 4 i p
=DownwardAPIVolumeSource
items 1 *.DownwardAPIVolumeFile Latomic
defaultMode 2 i p
=EmptyDirVolumeSource
medium 1 s
sizeLimit 2 apimachinery.pkg.api.resource.Quantity
=EnvFromSource
prefix 1 s
configMapRef 2 .ConfigMapEnvSource
secretRef 3 .SecretEnvSource
=EnvVar
name 1 s r
value 2 s
valueFrom 3 .EnvVarSource
=EnvVarSource
fieldRef 1 .ObjectFieldSelector
resourceFieldRef 2 .ResourceFieldSelector
configMapKeyRef 3 .ConfigMapKeySelector
secretKeyRef 4 .SecretKeySelector
fileKeyRef 5 .FileKeySelector
=EphemeralContainer
ephemeralContainerCommon 1 .EphemeralContainerCommon n
targetContainerName 2 s
=EphemeralContainerCommon
name 1 s
image 2 s
command 3 *s
args 4 *s
workingDir 5 s
ports 6 *.ContainerPort
envFrom 19 *.EnvFromSource
env 7 *.EnvVar
resources 8 .ResourceRequirements
resizePolicy 23 *.ContainerResizePolicy
restartPolicy 24 s p
restartPolicyRules 25 *.ContainerRestartRule
volumeMounts 9 *.VolumeMount
volumeDevices 21 *.VolumeDevice
livenessProbe 10 .Probe
readinessProbe 11 .Probe
startupProbe 22 .Probe
lifecycle 12 .Lifecycle
terminationMessagePath 13 s
terminationMessagePolicy 20 s
imagePullPolicy 14 s
securityContext 15 .SecurityContext
stdin 16 b
stdinOnce 17 b
tty 18 b
=EphemeralVolumeSource
volumeClaimTemplate 1 .PersistentVolumeClaimTemplate
=Event
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta r
involvedObject 2 .ObjectReference r
reason 3 s
message 4 s
source 5 .EventSource
firstTimestamp 6 apimachinery.pkg.apis.meta.v1.Time
lastTimestamp 7 apimachinery.pkg.apis.meta.v1.Time
count 8 i
type 9 s
eventTime 10 apimachinery.pkg.apis.meta.v1.MicroTime
series 11 .EventSeries
action 12 s
related 13 .ObjectReference
reportingComponent 14 s
reportingInstance 15 s
=EventList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Event r
=EventSeries
count 1 i
lastObservedTime 2 apimachinery.pkg.apis.meta.v1.MicroTime
=EventSource
component 1 s
host 2 s
=ExecAction
command 1 *s Latomic
=FCVolumeSource
targetWWNs 1 *s Latomic
lun 2 i p
fsType 3 s
readOnly 4 b
wwids 5 *s Latomic
=FileKeySelector
volumeName 1 s r
path 2 s r
key 3 s r
optional 4 b p Dfalse
=FlexVolumeSource
driver 1 s r
fsType 2 s
secretRef 3 .LocalObjectReference
readOnly 4 b
options 5 %s
=FlockerVolumeSource
datasetName 1 s
datasetUUID 2 s
=GCEPersistentDiskVolumeSource
pdName 1 s r
fsType 2 s
partition 3 i
readOnly 4 b
=GRPCAction
port 1 i r D0
service 2 s p
=GitRepoVolumeSource
repository 1 s r
revision 2 s
directory 3 s
=GlusterfsVolumeSource
endpoints 1 s r
path 2 s r
readOnly 3 b
=HTTPGetAction
path 1 s
port 2 apimachinery.pkg.util.intstr.IntOrString r
host 3 s
scheme 4 s
httpHeaders 5 *.HTTPHeader Latomic
=HTTPHeader
name 1 s r
value 2 s r
=HostAlias
ip 1 s r
hostnames 2 *s Latomic
=HostIP
ip 1 s r
=HostPathVolumeSource
path 1 s r
type 2 s p
=ISCSIVolumeSource
targetPortal 1 s r
iqn 2 s r
lun 3 i r D0
iscsiInterface 4 s D"default"
fsType 5 s
readOnly 6 b
portals 7 *s Latomic
chapAuthDiscovery 8 b
chapAuthSession 11 b
secretRef 10 .LocalObjectReference
initiatorName 12 s p
=ImageVolumeSource
reference 1 s
pullPolicy 2 s
=ImageVolumeStatus
imageRef 1 s r
=KeyToPath
key 1 s r
path 2 s r
mode 3 i p
=Lifecycle
postStart 1 .LifecycleHandler
preStop 2 .LifecycleHandler
stopSignal 3 s p
=LifecycleHandler
exec 1 .ExecAction
httpGet 2 .HTTPGetAction
tcpSocket 3 .TCPSocketAction
sleep 4 .SleepAction
=LinuxContainerUser
uid 1 l r D0
gid 2 l r D0
supplementalGroups 3 *l Latomic
=LoadBalancerIngress
ip 1 s
hostname 2 s
ipMode 3 s p
ports 4 *.PortStatus Latomic
=LoadBalancerStatus
ingress 1 *.LoadBalancerIngress Latomic
=LocalObjectReference
name 1 s
=NFSVolumeSource
server 1 s r
path 2 s r
readOnly 3 b
=Namespace
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .NamespaceSpec
status 3 .NamespaceStatus
=NamespaceCondition
type 1 s r
status 2 s r
lastTransitionTime 4 apimachinery.pkg.apis.meta.v1.Time
reason 5 s
message 6 s
=NamespaceList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Namespace r
=NamespaceSpec
finalizers 1 *s Latomic
=NamespaceStatus
phase 1 s
conditions 2 *.NamespaceCondition Lmap Ktype Pmerge Mtype
=Node
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .NodeSpec
status 3 .NodeStatus
=NodeAddress
type 1 s r
address 2 s r
=NodeAffinity
requiredDuringSchedulingIgnoredDuringExecution 1 .NodeSelector
preferredDuringSchedulingIgnoredDuringExecution 2 *.PreferredSchedulingTerm Latomic
=NodeAllocatableResourceClaimStatus
resourceClaimName 1 s r
containers 2 *s Lset
resources 3 %apimachinery.pkg.api.resource.Quantity r
=NodeCondition
type 1 s r
status 2 s r
lastHeartbeatTime 3 apimachinery.pkg.apis.meta.v1.Time
lastTransitionTime 4 apimachinery.pkg.apis.meta.v1.Time
reason 5 s
message 6 s
=NodeConfigSource
configMap 2 .ConfigMapNodeConfigSource
=NodeConfigStatus
assigned 1 .NodeConfigSource
active 2 .NodeConfigSource
lastKnownGood 3 .NodeConfigSource
error 4 s
=NodeDaemonEndpoints
kubeletEndpoint 1 .DaemonEndpoint
=NodeFeatures
supplementalGroupsPolicy 1 b p
=NodeList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Node r
=NodeRuntimeHandler
name 1 s
features 2 .NodeRuntimeHandlerFeatures
=NodeRuntimeHandlerFeatures
recursiveReadOnlyMounts 1 b p
userNamespaces 2 b p
=NodeSelector
nodeSelectorTerms 1 *.NodeSelectorTerm r Latomic
=NodeSelectorRequirement
key 1 s r
operator 2 s r
values 3 *s Latomic
=NodeSelectorTerm
matchExpressions 1 *.NodeSelectorRequirement Latomic
matchFields 2 *.NodeSelectorRequirement Latomic
=NodeSpec
podCIDR 1 s
podCIDRs 7 *s Lset Pmerge
providerID 3 s
unschedulable 4 b
taints 5 *.Taint Latomic
configSource 6 .NodeConfigSource
externalID 2 s
=NodeStatus
capacity 1 %apimachinery.pkg.api.resource.Quantity
allocatable 2 %apimachinery.pkg.api.resource.Quantity
phase 3 s
conditions 4 *.NodeCondition Lmap Ktype Pmerge Mtype
addresses 5 *.NodeAddress Lmap Ktype Pmerge Mtype
daemonEndpoints 6 .NodeDaemonEndpoints
nodeInfo 7 .NodeSystemInfo
images 8 *.ContainerImage Latomic
volumesInUse 9 *s Latomic
volumesAttached 10 *.AttachedVolume Latomic
config 11 .NodeConfigStatus
runtimeHandlers 12 *.NodeRuntimeHandler Latomic
features 13 .NodeFeatures
declaredFeatures 14 *s Latomic
=NodeSwapStatus
capacity 1 l p
=NodeSystemInfo
machineID 1 s r
systemUUID 2 s r
bootID 3 s r
kernelVersion 4 s r
osImage 5 s r
containerRuntimeVersion 6 s r
kubeletVersion 7 s r
kubeProxyVersion 8 s r
operatingSystem 9 s r
architecture 10 s r
swap 11 .NodeSwapStatus
=ObjectFieldSelector
apiVersion 1 s
fieldPath 2 s r
=ObjectReference
kind 1 s
namespace 2 s
name 3 s
uid 4 s
apiVersion 5 s
resourceVersion 6 s
fieldPath 7 s
=PersistentVolumeClaimSpec
accessModes 1 *s Latomic
selector 4 apimachinery.pkg.apis.meta.v1.LabelSelector
resources 2 .VolumeResourceRequirements
volumeName 3 s
storageClassName 5 s p
volumeMode 6 s p
dataSource 7 .TypedLocalObjectReference
dataSourceRef 8 .TypedObjectReference
volumeAttributesClassName 9 s p
=PersistentVolumeClaimTemplate
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .PersistentVolumeClaimSpec r
=PersistentVolumeClaimVolumeSource
claimName 1 s r
readOnly 2 b
=PhotonPersistentDiskVolumeSource
pdID 1 s r
fsType 2 s
=Pod
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .PodSpec
status 3 .PodStatus
=PodAffinity
requiredDuringSchedulingIgnoredDuringExecution 1 *.PodAffinityTerm Latomic
preferredDuringSchedulingIgnoredDuringExecution 2 *.WeightedPodAffinityTerm Latomic
=PodAffinityTerm
labelSelector 1 apimachinery.pkg.apis.meta.v1.LabelSelector
namespaces 2 *s Latomic
topologyKey 3 s r
namespaceSelector 4 apimachinery.pkg.apis.meta.v1.LabelSelector
matchLabelKeys 5 *s Latomic
mismatchLabelKeys 6 *s Latomic
=PodAntiAffinity
requiredDuringSchedulingIgnoredDuringExecution 1 *.PodAffinityTerm Latomic
preferredDuringSchedulingIgnoredDuringExecution 2 *.WeightedPodAffinityTerm Latomic
=PodCertificateProjection
signerName 1 s r
keyType 2 s r
maxExpirationSeconds 3 i p
credentialBundlePath 4 s
keyPath 5 s
certificateChainPath 6 s
userAnnotations 7 %s
=PodCondition
type 1 s r
observedGeneration 7 l
status 2 s r
lastProbeTime 3 apimachinery.pkg.apis.meta.v1.Time
lastTransitionTime 4 apimachinery.pkg.apis.meta.v1.Time
reason 5 s
message 6 s
=PodDNSConfig
nameservers 1 *s Latomic
searches 2 *s Latomic
options 3 *.PodDNSConfigOption Latomic
=PodDNSConfigOption
name 1 s
value 2 s p
=PodExtendedResourceClaimStatus
requestMappings 1 *.ContainerExtendedResourceRequest r Latomic
resourceClaimName 2 s r
=PodIP
ip 1 s r
=PodList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Pod r
=PodLogOptions
container 1 s
follow 2 b
previous 3 b
sinceSeconds 4 l p
sinceTime 5 apimachinery.pkg.apis.meta.v1.Time
timestamps 6 b
tailLines 7 l p
limitBytes 8 l p
insecureSkipTLSVerifyBackend 9 b
stream 10 s p
=PodOS
name 1 s r
=PodReadinessGate
conditionType 1 s r
=PodResourceClaim
name 1 s r
resourceClaimName 3 s p
resourceClaimTemplateName 4 s p
=PodResourceClaimStatus
name 1 s r
resourceClaimName 2 s p
=PodSchedulingGate
name 1 s r
=PodSchedulingGroup
podGroupName 1 s p
=PodSecurityContext
seLinuxOptions 1 .SELinuxOptions
windowsOptions 8 .WindowsSecurityContextOptions
runAsUser 2 l p
runAsGroup 6 l p
runAsNonRoot 3 b p
supplementalGroups 4 *l Latomic
supplementalGroupsPolicy 12 s p
fsGroup 5 l p
sysctls 7 *.Sysctl Latomic
fsGroupChangePolicy 9 s p
seccompProfile 10 .SeccompProfile
appArmorProfile 11 .AppArmorProfile
seLinuxChangePolicy 13 s p
=PodSpec
volumes 1 *.Volume Lmap Kname Pmerge,retainKeys Mname
initContainers 20 *.Container Lmap Kname Pmerge Mname
containers 2 *.Container r Lmap Kname Pmerge Mname
ephemeralContainers 34 *.EphemeralContainer Lmap Kname Pmerge Mname
restartPolicy 3 s
terminationGracePeriodSeconds 4 l p
activeDeadlineSeconds 5 l p
dnsPolicy 6 s
nodeSelector 7 %s Tatomic
serviceAccountName 8 s
serviceAccount 9 s
automountServiceAccountToken 21 b p
nodeName 10 s
hostNetwork 11 b
hostPID 12 b
hostIPC 13 b
shareProcessNamespace 27 b p
securityContext 14 .PodSecurityContext
imagePullSecrets 15 *.LocalObjectReference Lmap Kname Pmerge Mname
hostname 16 s
subdomain 17 s
affinity 18 .Affinity
schedulerName 19 s
tolerations 22 *.Toleration Latomic
hostAliases 23 *.HostAlias Lmap Kip Pmerge Mip
priorityClassName 24 s
priority 25 i p
dnsConfig 26 .PodDNSConfig
readinessGates 28 *.PodReadinessGate Latomic
runtimeClassName 29 s p
enableServiceLinks 30 b p
preemptionPolicy 31 s p
overhead 32 %apimachinery.pkg.api.resource.Quantity
topologySpreadConstraints 33 *.TopologySpreadConstraint Lmap
+ KtopologyKey,whenUnsatisfiable Pmerge MtopologyKey
setHostnameAsFQDN 35 b p
os 36 .PodOS
hostUsers 37 b p
schedulingGates 38 *.PodSchedulingGate Lmap Kname Pmerge Mname
resourceClaims 39 *.PodResourceClaim Lmap Kname Pmerge,retainKeys Mname
resources 40 .ResourceRequirements
hostnameOverride 41 s p
schedulingGroup 43 .PodSchedulingGroup
=PodStatus
observedGeneration 17 l
phase 1 s
conditions 2 *.PodCondition Lmap Ktype Pmerge Mtype
message 3 s
reason 4 s
nominatedNodeName 11 s
hostIP 5 s
hostIPs 16 *.HostIP Latomic Pmerge Mip
podIP 6 s
podIPs 12 *.PodIP Lmap Kip Pmerge Mip
startTime 7 apimachinery.pkg.apis.meta.v1.Time
initContainerStatuses 10 *.ContainerStatus Latomic
containerStatuses 8 *.ContainerStatus Latomic
qosClass 9 s
ephemeralContainerStatuses 13 *.ContainerStatus Latomic
resize 14 s
resourceClaimStatuses 15 *.PodResourceClaimStatus Lmap Kname Pmerge,retainKeys Mname
extendedResourceClaimStatus 18 .PodExtendedResourceClaimStatus
allocatedResources 19 %apimachinery.pkg.api.resource.Quantity
resources 20 .ResourceRequirements
nodeAllocatableResourceClaimStatuses 21 *.NodeAllocatableResourceClaimStatus Latomic
=PodTemplateSpec
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .PodSpec
=PortStatus
port 1 i r D0
protocol 2 s r
error 3 s p
=PortworxVolumeSource
volumeID 1 s r
fsType 2 s
readOnly 3 b
=PreferredSchedulingTerm
weight 1 i r D0
preference 2 .NodeSelectorTerm r
=Probe
handler 1 .ProbeHandler n
initialDelaySeconds 2 i
timeoutSeconds 3 i
periodSeconds 4 i
successThreshold 5 i
failureThreshold 6 i
terminationGracePeriodSeconds 7 l p
=ProbeHandler
exec 1 .ExecAction
httpGet 2 .HTTPGetAction
tcpSocket 3 .TCPSocketAction
grpc 4 .GRPCAction
=ProjectedVolumeSource
sources 1 *.VolumeProjection Latomic
defaultMode 2 i p
=QuobyteVolumeSource
registry 1 s r
volume 2 s r
readOnly 3 b
user 4 s
group 5 s
tenant 6 s
=RBDVolumeSource
monitors 1 *s r Latomic
image 2 s r
fsType 3 s
pool 4 s D"rbd"
user 5 s D"admin"
keyring 6 s D"/etc/ceph/keyring"
secretRef 7 .LocalObjectReference
readOnly 8 b
=ResourceClaim
name 1 s r
request 2 s
=ResourceFieldSelector
containerName 1 s
resource 2 s r
divisor 3 apimachinery.pkg.api.resource.Quantity
=ResourceHealth
resourceID 1 s r
health 2 s
message 6 s p
=ResourceRequirements
limits 1 %apimachinery.pkg.api.resource.Quantity
requests 2 %apimachinery.pkg.api.resource.Quantity
claims 3 *.ResourceClaim Lmap Kname
=ResourceStatus
name 1 s r
resources 2 *.ResourceHealth Lmap KresourceID
=SELinuxOptions
user 1 s
role 2 s
type 3 s
level 4 s
=ScaleIOVolumeSource
gateway 1 s r
system 2 s r
secretRef 3 .LocalObjectReference r
sslEnabled 4 b
protectionDomain 5 s
storagePool 6 s
storageMode 7 s D"ThinProvisioned"
volumeName 8 s
fsType 9 s D"xfs"
readOnly 10 b
=SeccompProfile
type 1 s r
localhostProfile 2 s p
=Secret
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
immutable 5 b p
data 2 %y
stringData 4 %s
type 3 s
=SecretEnvSource
localObjectReference 1 .LocalObjectReference n
optional 2 b p
=SecretKeySelector
localObjectReference 1 .LocalObjectReference n
key 2 s r
optional 3 b p
=SecretList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Secret r
=SecretProjection
localObjectReference 1 .LocalObjectReference n
items 2 *.KeyToPath Latomic
optional 4 b p
=SecretVolumeSource
secretName 1 s
items 2 *.KeyToPath Latomic
defaultMode 3 i p
optional 4 b p
=SecurityContext
capabilities 1 .Capabilities
privileged 2 b p
seLinuxOptions 3 .SELinuxOptions
windowsOptions 10 .WindowsSecurityContextOptions
runAsUser 4 l p
runAsGroup 8 l p
runAsNonRoot 5 b p
readOnlyRootFilesystem 6 b p
allowPrivilegeEscalation 7 b p
procMount 9 s p
seccompProfile 11 .SeccompProfile
appArmorProfile 12 .AppArmorProfile
=Service
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
spec 2 .ServiceSpec
status 3 .ServiceStatus
=ServiceAccount
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
secrets 2 *.ObjectReference Lmap Kname Pmerge Mname
imagePullSecrets 3 *.LocalObjectReference Latomic
automountServiceAccountToken 4 b p
=ServiceAccountList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.ServiceAccount r
=ServiceAccountTokenProjection
audience 1 s
expirationSeconds 2 l p
path 3 s r
=ServiceList
metadata 1 apimachinery.pkg.apis.meta.v1.ListMeta
items 2 *.Service r
=ServicePort
name 1 s
protocol 2 s D"TCP"
appProtocol 6 s p
port 3 i r D0
targetPort 4 apimachinery.pkg.util.intstr.IntOrString
nodePort 5 i
=ServiceSpec
ports 1 *.ServicePort Lmap Kport,protocol Pmerge Mport
selector 2 %s Tatomic
clusterIP 3 s
clusterIPs 18 *s Latomic
type 4 s
externalIPs 5 *s Latomic
sessionAffinity 7 s
loadBalancerIP 8 s
loadBalancerSourceRanges 9 *s Latomic
externalName 10 s
externalTrafficPolicy 11 s
healthCheckNodePort 12 i
publishNotReadyAddresses 13 b
sessionAffinityConfig 14 .SessionAffinityConfig
ipFamilies 19 *s Latomic
ipFamilyPolicy 17 s p
allocateLoadBalancerNodePorts 20 b p
loadBalancerClass 21 s p
internalTrafficPolicy 22 s p
trafficDistribution 23 s p
=ServiceStatus
loadBalancer 1 .LoadBalancerStatus
conditions 2 *apimachinery.pkg.apis.meta.v1.Condition Lmap Ktype Pmerge Mtype
=SessionAffinityConfig
clientIP 1 .ClientIPConfig
=SleepAction
seconds 1 l r D0
=StorageOSVolumeSource
volumeName 1 s
volumeNamespace 2 s
fsType 3 s
readOnly 4 b
secretRef 5 .LocalObjectReference
=Sysctl
name 1 s r
value 2 s r
=TCPSocketAction
port 1 apimachinery.pkg.util.intstr.IntOrString r
host 2 s
=Taint
key 1 s r
value 2 s
effect 3 s r
timeAdded 4 apimachinery.pkg.apis.meta.v1.Time
=Toleration
key 1 s
operator 2 s
value 3 s
effect 4 s
tolerationSeconds 5 l p
=TopologySpreadConstraint
maxSkew 1 i r D0
topologyKey 2 s r
whenUnsatisfiable 3 s r
labelSelector 4 apimachinery.pkg.apis.meta.v1.LabelSelector
minDomains 5 i p
nodeAffinityPolicy 6 s p
nodeTaintsPolicy 7 s p
matchLabelKeys 8 *s Latomic
=TypedLocalObjectReference
apiGroup 1 s p
kind 2 s r
name 3 s r
=TypedObjectReference
apiGroup 1 s p
kind 2 s r
name 3 s r
namespace 4 s p
=Volume
name 1 s r
volumeSource 2 .VolumeSource n
=VolumeDevice
name 1 s r
devicePath 2 s r
=VolumeMount
name 1 s r
readOnly 2 b
recursiveReadOnly 7 s p
mountPath 3 s r
subPath 4 s
mountPropagation 5 s p
subPathExpr 6 s
=VolumeMountStatus
name 1 s r
mountPath 2 s r
readOnly 3 b
recursiveReadOnly 4 s p
volumeStatus 5 .VolumeStatus
=VolumeProjection
secret 1 .SecretProjection
downwardAPI 2 .DownwardAPIProjection
configMap 3 .ConfigMapProjection
serviceAccountToken 4 .ServiceAccountTokenProjection
clusterTrustBundle 5 .ClusterTrustBundleProjection
podCertificate 6 .PodCertificateProjection
=VolumeResourceRequirements
limits 1 %apimachinery.pkg.api.resource.Quantity
requests 2 %apimachinery.pkg.api.resource.Quantity
=VolumeSource
hostPath 1 .HostPathVolumeSource
emptyDir 2 .EmptyDirVolumeSource
gcePersistentDisk 3 .GCEPersistentDiskVolumeSource
awsElasticBlockStore 4 .AWSElasticBlockStoreVolumeSource
gitRepo 5 .GitRepoVolumeSource
secret 6 .SecretVolumeSource
nfs 7 .NFSVolumeSource
iscsi 8 .ISCSIVolumeSource
glusterfs 9 .GlusterfsVolumeSource
persistentVolumeClaim 10 .PersistentVolumeClaimVolumeSource
rbd 11 .RBDVolumeSource
flexVolume 12 .FlexVolumeSource
cinder 13 .CinderVolumeSource
cephfs 14 .CephFSVolumeSource
flocker 15 .FlockerVolumeSource
downwardAPI 16 .DownwardAPIVolumeSource
fc 17 .FCVolumeSource
azureFile 18 .AzureFileVolumeSource
configMap 19 .ConfigMapVolumeSource
vsphereVolume 20 .VsphereVirtualDiskVolumeSource
quobyte 21 .QuobyteVolumeSource
azureDisk 22 .AzureDiskVolumeSource
photonPersistentDisk 23 .PhotonPersistentDiskVolumeSource
projected 26 .ProjectedVolumeSource
portworxVolume 24 .PortworxVolumeSource
scaleIO 25 .ScaleIOVolumeSource
storageos 27 .StorageOSVolumeSource
csi 28 .CSIVolumeSource
ephemeral 29 .EphemeralVolumeSource
image 30 .ImageVolumeSource
=VolumeStatus
image 1 .ImageVolumeStatus
=VsphereVirtualDiskVolumeSource
volumePath 1 s r
fsType 2 s
storagePolicyName 3 s
storagePolicyID 4 s
=WeightedPodAffinityTerm
weight 1 i r D0
podAffinityTerm 2 .PodAffinityTerm r
=WindowsSecurityContextOptions
gmsaCredentialSpecName 1 s p
gmsaCredentialSpec 2 s p
runAsUserName 3 s p
hostProcess 4 b p
#api.policy.v1
=Eviction
metadata 1 apimachinery.pkg.apis.meta.v1.ObjectMeta
deleteOptions 2 apimachinery.pkg.apis.meta.v1.DeleteOptions
#apimachinery.pkg.api.resource
=Quantity
string 1 s
#apimachinery.pkg.apis.meta.v1
=Condition
type 1 s r
status 2 s r
observedGeneration 3 l
lastTransitionTime 4 .Time r
reason 5 s r
message 6 s r
=CreateOptions
dryRun 1 *s
fieldManager 3 s
fieldValidation 4 s
=DeleteOptions
gracePeriodSeconds 1 l p
preconditions 2 .Preconditions
orphanDependents 3 b p
propagationPolicy 4 s p
dryRun 5 *s Latomic
ignoreStoreReadErrorWithClusterBreakingPotential 6 b p
=FieldsV1
Raw 1 y
=LabelSelector
matchLabels 1 %s
matchExpressions 2 *.LabelSelectorRequirement Latomic
=LabelSelectorRequirement
key 1 s r
operator 2 s r
values 3 *s Latomic
=ListMeta
selfLink 1 s
resourceVersion 2 s
continue 3 s
remainingItemCount 4 l p
shardInfo 5 .ShardInfo
=ListOptions
labelSelector 1 s
fieldSelector 2 s
watch 3 b
allowWatchBookmarks 9 b
resourceVersion 4 s
resourceVersionMatch 10 s
timeoutSeconds 5 l p
limit 7 l
continue 8 s
sendInitialEvents 11 b p
shardSelector 15 s
=ManagedFieldsEntry
manager 1 s
operation 2 s
apiVersion 3 s
time 4 .Time
fieldsType 6 s
fieldsV1 7 .FieldsV1
subresource 8 s
=MicroTime
seconds 1 l
nanos 2 i
=ObjectMeta
name 1 s
generateName 2 s
namespace 3 s
selfLink 4 s
uid 5 s
resourceVersion 6 s
generation 7 l
creationTimestamp 8 .Time
deletionTimestamp 9 .Time
deletionGracePeriodSeconds 10 l p
labels 11 %s
annotations 12 %s
ownerReferences 13 *.OwnerReference Lmap Kuid Pmerge Muid
finalizers 14 *s Lset Pmerge
managedFields 17 *.ManagedFieldsEntry Latomic
=OwnerReference
apiVersion 5 s r
kind 1 s r
name 3 s r
uid 4 s r
controller 6 b p
blockOwnerDeletion 7 b p
=PartialObjectMetadata
metadata 1 .ObjectMeta
=PartialObjectMetadataList
metadata 1 .ListMeta
items 2 *.PartialObjectMetadata
=PatchOptions
dryRun 1 *s
force 2 b p
fieldManager 3 s
fieldValidation 4 s
=Preconditions
uid 1 s p
resourceVersion 2 s p
=ShardInfo
selector 1 s r
=Status
metadata 1 .ListMeta
status 2 s
message 3 s
reason 4 s
details 5 .StatusDetails
code 6 i
=StatusCause
reason 1 s
message 2 s
field 3 s
=StatusDetails
name 1 s
group 2 s
kind 3 s
uid 6 s
causes 4 *.StatusCause Latomic
retryAfterSeconds 5 i
=Time
seconds 1 l
nanos 2 i
=UpdateOptions
dryRun 1 *s
fieldManager 2 s
fieldValidation 3 s
=WatchEvent
type 1 s r
object 2 apimachinery.pkg.runtime.RawExtension r
#apimachinery.pkg.runtime
=RawExtension
raw 1 y
#apimachinery.pkg.util.intstr
=IntOrString
type 1 l
intVal 2 i
strVal 3 s
"""#
