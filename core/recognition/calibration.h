/*
 * The constants that make the recogniser's probabilities honest, in one place. A probability is honest when,
 * of the numbers that get 0.9, nine in ten are right. Each says what it is, which way it errs, and where it
 * comes from. Those marked FIT were fitted on what the mint draws, never on real cards: strips of
 * gk_mint_strip_number and cards of bench/series.h, seeds 7 to 9, by nets of 7,500 to 12,500 training steps;
 * the trained one was checked with them, not fitted anew. `./run bench calibration` prints what the
 * probabilities claim beside how often they are right.
 */
#ifndef GUIKA_CORE_RECOGNITION_CALIBRATION_H
#define GUIKA_CORE_RECOGNITION_CALIBRATION_H

/* --- One strip: decoder.c --- */

/* The net's log probabilities are divided by this, column by column. Above 1 it is trusted less: nets of this
 * kind are surer than they are right (Guo et al. 2017, "On Calibration of Modern Neural Networks"). FIT: of
 * 1,958 minted strips, rules off, priors even, 747 were read with more than 0.999 (1 wrong), 373 with 0.99 to
 * 0.999 (2 wrong; claimed 0.9964), 238 with 0.9 to 0.99 (5 wrong; claimed 0.963), 182 with 0.5 to 0.9 (46
 * wrong; claimed 0.75). At 1 and at 1.5 times the agreement below the second
 * bin is overrated (0.985). The net was trained on strips of this mint: real ones are foreign to it, so the
 * value is never to be fitted below 1.2. */
#define GK_TEMPERATURE 1.2

/* --- Several framings of one line: fusion.c --- */

/* F framings that are equally sure count as F to this power of independent readings: 0 would average them, 1
 * would take them for independent. They share the picture and the net, so it must be small. FIT: with the
 * temperature, by the same figures. */
#define GK_FRAMING_AGREEMENT 0.4

/* The same for pictures of one line: S that are equally sure count as S to this power. Other light and other
 * noise, but the same wear and the same net. Estimated. */
#define GK_PICTURE_AGREEMENT 0.8

/* What the likeliest string of a framing takes from its weight: its probability per character to this power.
 * Large: only the surest framing counts. Estimated, but flat: what matters is that blanks and fragments weigh
 * little. */
#define GK_FRAMING_SELECTION 6.0

/* A framing that cuts the digits may be sure and wrong about the whole line: no string is less likely than
 * this by one framing's word. Also the least that is kept for strings that nobody thought of. FIT: the share
 * of wrong strings among those read with more than 0.999: 2 of 2,391 minted strips (both had lost digits at
 * their end under clutter or glare; none of the right length was wrong), none of about 1,250 lines of 1,560
 * minted cards whose length was right. */
#define GK_FRAMING_SLIP 4e-4

/* The same for a single character: no other character is less likely than this, relative to the one read.
 * FIT: the share of wrong characters among those read with more than 0.9999, divided by 10: none of 12,408
 * (2,187 on strips, 10,221 on cards). */
#define GK_CHARACTER_SLIP 1e-5

/* --- A number on a line: weighing.c --- */

/* The chance that a run of figures on a card is not the kind of number that some rule describes (a telephone
 * number, a date, another issuer's, a part of the number), relative to that it is. Long runs are hardly ever
 * anything else. FIT: 9,242 minted cards and receipts with their decoys, lines that the finder saw or that
 * stand where a layout has a number, whose figures read as a number of some rule; those that were the card's
 * number beside those that were not, by grouping (usual: as 15 of its issuer's cards have it):
 *                    usual groups    one group    other groups
 *     15 and more      4,160 : 2     1,162 : 0      249 : 2
 *     10 to 14           795 : 0       561 : 3       28 : 45
 *     7 to 9             907 : 1        56 : 3        2 : 11
 * The mint's decoys are fewer than those of real cards, so the odds are kept above these. */
#define GK_ALIEN_LONG 0.02   /* 15 characters and more */
#define GK_ALIEN_MIDDLE 0.1  /* 10 to 14 */
#define GK_ALIEN_SHORT 0.07  /* 7 to 9 */
#define GK_ALIEN_SHORTEST 10 /* up to 6: a date, a security code, the reprint of four digits */
/* Times this for print that the finder passed over and that stands where no layout has a number. FIT: of the
 * same cards' numbers the finder passed over 99 of 8,019, of the other runs that read as some rule's 211 of
 * 278: the quotient of those odds is 250. Of 34 real specimens it passed over two: 50. */
#define GK_ALIEN_PASSED_OVER 50
/* Times these, by how it is grouped: */
#define GK_ALIEN_GROUPED 0.05   /* as the rule says; in one group from 10 characters on */
#define GK_ALIEN_BRACKETS 0.002 /* as the rule says, with brackets: hardly anything else has. Estimated */
#define GK_ALIEN_BARE 10        /* the rule demands brackets and there are none. Estimated */
#define GK_ALIEN_UNBROKEN 2     /* evenly, where the rule names groups: some printers leave the gaps out */
#define GK_ALIEN_IRREGULAR 10   /* in groups that the rule has not; it has one length alone */
#define GK_ALIEN_RAGGED 100     /* the same, and it has numbers one character shorter or longer */
/* And for a part of a line. Estimated: */
#define GK_ALIEN_PART 5         /* other figures stand on the line, far off */
#define GK_ALIEN_APART 100      /* or for a whole line, one gap of which is far wider than the others */
#define GK_ALIEN_WINDOW 1000000 /* figures touch it on the left or the right */

/* Share of good numbers that fail a check that only weighs. Unknown; card-validator#112 shows that there are
 * some. */
#define GK_GOOD_BUT_FAILS 0.01

/* --- Several lines and frames: candidates.c --- */

/* The chance that another sight of the same line (another frame, another lamp) repeats the first one's error,
 * or says nothing. FIT: share of wrong first sights whose second sight is wrong in the same way: 3 of 13
 * among 160 minted cards seen twice, rules off (few: kept above it). */
#define GK_SIGHT_REPEATS 0.25
/* The chance that a bar code says what a wrong reading of the digits says: it is another print with a check
 * of its own, so only a mistake at the issuer's could do it. Estimated, on the cautious side. */
#define GK_CODE_REPEATS 0.02
/* Of what one sight leaves to numbers that it does not name, the share that goes to a number that another
 * sight names. Estimated. */
#define GK_SIGHT_UNNAMED 0.03

#endif
