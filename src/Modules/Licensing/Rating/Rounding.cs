namespace MissionControl.Licensing.Rating;

/// <summary>What was agreed or used cannot be rated: it does not fit the numbers, or terms and prices do not belong together.</summary>
internal sealed class RatingException : Exception
{
    public RatingException(string message)
        : base(message)
    {
    }

    public RatingException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>
/// The one place where digits are lost. All of it in checked 128-bit integers: what does not fit is an <see cref="OverflowException"/>.
/// Halves go away from zero, so that the rounding of −x is minus that of x and a reversal mirrors what it reverses.
/// </summary>
internal static class Rounding
{
    /// <summary>Digits of prices, of pricing quantities and of limits after the point.</summary>
    public const int PriceScale = 9;

    /// <summary>Digits of exact amounts after the point: those of a price and of a quantity together.</summary>
    public const int ExactScale = 18;

    /// <summary>One, in 10^-9.</summary>
    public const long One = 1_000_000_000;

    private static readonly Int128[] Powers = PowersOfTen();

    /// <summary>The quotient to the nearest integer; halves away from zero.</summary>
    /// <param name="dividend">Any.</param>
    /// <param name="divisor">Above 0.</param>
    public static Int128 Divide(Int128 dividend, Int128 divisor)
    {
        var (quotient, rest) = Int128.DivRem(dividend, divisor);
        rest = Int128.Abs(rest);
        return rest >= divisor - rest ? quotient + Int128.Sign(dividend) : quotient;
    }

    /// <summary>The quotient, a begun one included. Of what is not negative.</summary>
    public static Int128 DivideUp(Int128 dividend, Int128 divisor)
    {
        var (quotient, rest) = Int128.DivRem(dividend, divisor);
        return rest > 0 ? quotient + 1 : quotient;
    }

    /// <summary>What a quantity of 10^-9 is in priced units of 10^-9: divided once, and made whole in the same step where the rate wants that.</summary>
    /// <param name="quantity">In 10^-9 of the meter's unit.</param>
    /// <param name="divisor">How many of these one priced unit is; of a share of a period also the period.</param>
    /// <param name="rounding">How they become whole.</param>
    public static Int128 Units(Int128 quantity, Int128 divisor, UnitRounding rounding)
    {
        checked
        {
            return rounding switch
            {
                UnitRounding.Up => DivideUp(quantity, divisor * One) * One,
                UnitRounding.Down => quantity / (divisor * One) * One,
                UnitRounding.Nearest => Divide(quantity, divisor * One) * One,
                _ => Divide(quantity, divisor),
            };
        }
    }

    /// <summary>An exact amount in minor units of a currency.</summary>
    /// <param name="exact">In 10^-18.</param>
    /// <param name="exponent">Digits of the minor unit.</param>
    public static long ToMinor(Int128 exact, int exponent) => checked((long)Divide(exact, Power(ExactScale - exponent)));

    /// <summary>An amount of minor units as a quantity of 10^-9 of its currency; exact.</summary>
    public static Int128 FromMinor(Int128 minor, int exponent) => checked(minor * Power(PriceScale - exponent));

    /// <summary>A power of ten, from 10^0 to 10^38.</summary>
    public static Int128 Power(int digits) => Powers[digits];

    private static Int128[] PowersOfTen()
    {
        var powers = new Int128[39];
        powers[0] = 1;
        for (var i = 1; i < powers.Length; i++)
        {
            powers[i] = checked(powers[i - 1] * 10);
        }

        return powers;
    }
}
