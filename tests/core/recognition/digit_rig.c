#include "digit_rig.h"

#include "core/recognition/calibration.h"

#include <math.h>
#include <string.h>

static void fill(float row[GK_DIGIT_CLASSES], int class, double sure)
{
    for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
        row[i] = (float)log(i == class ? sure : (1 - sure) / (GK_DIGIT_CLASSES - 1));
    }
}

static int class_of(char character)
{
    return character == 'X' ? 11 : character - '0' + 1;
}

void rig_draw(struct gk_digit_matrix *matrix, const char *text, double sure)
{
    *matrix = (struct gk_digit_matrix){.px_per_column = 4};
    double blank = 1 - (1 - sure) / 100;
    fill(matrix->log_probability[matrix->columns++], 0, blank);
    for (; *text != '\0'; text++) {
        for (int i = 0; i < RIG_PITCH && matrix->columns < GK_DIGIT_COLUMNS_MOST; i++) {
            bool drawn = i == RIG_PITCH / 2 && *text != ' ';
            fill(matrix->log_probability[matrix->columns++], drawn ? class_of(*text) : 0,
                 drawn ? sure : blank);
        }
    }
}

void rig_doubt(struct gk_digit_matrix *matrix, const char *text, int index, char other, double share)
{
    int place = 0;
    for (; text[place] == ' ' || index > 0; place++) {
        index -= text[place] != ' ';
    }
    float *row = matrix->log_probability[1 + place * RIG_PITCH + RIG_PITCH / 2];
    row[class_of(text[place])] = (float)log(1 - share);
    row[class_of(other)] = (float)log(share);
}

double rig_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

static double gaussian(uint64_t *state)
{
    double radius = sqrt(-2 * log(rig_random(state) + 1e-12));
    return radius * cos(6.283185307179586 * rig_random(state));
}

void rig_observe(struct gk_digit_matrix *matrix, const char *text, double strength, uint64_t *state)
{
    rig_draw(matrix, text, 1 - 1e-6);
    for (int place = 0; text[place] != '\0'; place++) {
        float *row = matrix->log_probability[1 + place * RIG_PITCH + RIG_PITCH / 2];
        double evidence[10], total = 0;
        for (int digit = 0; digit < 10 && text[place] != ' '; digit++) {
            bool own = text[place] == '0' + digit;
            evidence[digit] = strength * ((own ? strength : 0) + gaussian(state));
            total += exp(evidence[digit]);
        }
        for (int digit = 0; digit < 10 && text[place] != ' '; digit++) {
            row[digit + 1] = (float)((evidence[digit] - log(total)) * GK_TEMPERATURE);
        }
    }
}

void rig_garbage(struct gk_digit_matrix *matrix, int columns, double sharpness, uint64_t *state)
{
    *matrix = (struct gk_digit_matrix){.columns = columns, .px_per_column = 4};
    for (int column = 0; column < columns; column++) {
        double share[GK_DIGIT_CLASSES], total = 0;
        for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
            share[i] = exp(sharpness * rig_random(state));
            total += share[i];
        }
        for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
            matrix->log_probability[column][i] = (float)log(share[i] / total);
        }
    }
}
