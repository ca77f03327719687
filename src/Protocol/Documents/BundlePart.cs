namespace MissionControl.Protocol.Documents;

/// <summary>A part of a bundle: a check-in, as protobuf, in an envelope that its cluster signed; an envelope a line makes the file.</summary>
public static class BundlePart
{
    /// <summary>DSSE payload type.</summary>
    public const string PayloadType = "application/vnd.missioncontrol.bundle+protobuf";

    /// <summary>DSSE payload type of the answer that is carried back, a <c>BundleAnswer</c>.</summary>
    public const string AnswerPayloadType = "application/vnd.missioncontrol.bundle-answer+protobuf";
}
