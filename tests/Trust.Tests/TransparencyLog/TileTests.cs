using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Trust.Tests.TransparencyLog;

public sealed class TileTests
{
    [Theory]
    [InlineData("tile/0/000", 0, 0, 256)]
    [InlineData("tile/entries/000.p/1", TileId.Entries, 0, 1)]
    [InlineData("tile/0/x001/x234/067", 0, 1_234_067, 256)]
    [InlineData("tile/0/x001/x234/067.p/112", 0, 1_234_067, 112)]
    [InlineData("tile/63/999.p/255", 63, 999, 255)]
    [InlineData("tile/entries/x001/000", TileId.Entries, 1000, 256)]
    [InlineData("tile/0/x036/x028/x797/x018/x963/967", 0, long.MaxValue / 256, 256)]
    public void A_path_is_read_and_written_in_one_way(string path, int level, long index, int width)
    {
        Assert.True(TileId.TryParse(path, out var id));
        Assert.Equal(new TileId(level, index, width), id);
        Assert.Equal(path, id.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("tile")]
    [InlineData("tile/")]
    [InlineData("tile/0")]
    [InlineData("tile/0/")]
    [InlineData("/tile/0/000")]
    [InlineData("tile/0/000/")]
    [InlineData("tile/00/000")]
    [InlineData("tile/64/000")]
    [InlineData("tile/-1/000")]
    [InlineData("tile/data/000")]
    [InlineData("tile/0/0")]
    [InlineData("tile/0/0000")]
    [InlineData("tile/0/x000")]
    [InlineData("tile/0/x000/001")]
    [InlineData("tile/0/001/002")]
    [InlineData("tile/0/X001/002")]
    [InlineData("tile/0/x01/002")]
    [InlineData("tile/0/000.p/0")]
    [InlineData("tile/0/000.p/00")]
    [InlineData("tile/0/000.p/01")]
    [InlineData("tile/0/000.p/256")]
    [InlineData("tile/0/000.p/1/")]
    [InlineData("tile/0/000.p")]
    [InlineData("tile/0/000.p/-1")]
    [InlineData("tile/0/000.p/1.p/1")]
    [InlineData("tile/0/x001.p/002")]
    [InlineData("tile/8/0/000")]
    [InlineData("tile/0/٠٠٠")]
    [InlineData("tile/0/x036/x028/x797/x018/x963/968")]
    [InlineData("tile/0/x999/x999/x999/x999/x999/x999/x999/999")]
    public void Anything_else_is_no_path(string path) => Assert.False(TileId.TryParse(path, out _));

    [Fact]
    public void A_tree_of_256_has_one_full_tile_and_the_first_of_the_next_level() =>
        Assert.Equal(["tile/entries/000", "tile/0/000", "tile/1/000.p/1"], TileId.AllOf(256).Select(id => id.ToString()));

    [Fact]
    public void A_tile_that_a_tree_does_not_have_is_not_made_up()
    {
        Assert.Equal(new TileId(0, 1, 1), TileId.At(0, 1, 257));
        Assert.Throws<ArgumentOutOfRangeException>(() => TileId.At(0, 1, 256));
        Assert.Throws<ArgumentOutOfRangeException>(() => TileId.At(1, 0, 255));
        Assert.Throws<ArgumentOutOfRangeException>(() => TileId.At(8, 0, long.MaxValue));
        Assert.Empty(TileId.AllOf(0));
    }
}
