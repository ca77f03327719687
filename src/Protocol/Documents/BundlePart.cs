namespace MissionControl.Protocol.Documents;

/// <summary>A part of a bundle: a check-in, as protobuf, in an envelope that its cluster signed; an envelope a line makes the file.</summary>
public static class BundlePart
{
    /// <summary>DSSE payload type.</summary>
    public const string PayloadType = "application/vnd.missioncontrol.bundle+protobuf";
}
