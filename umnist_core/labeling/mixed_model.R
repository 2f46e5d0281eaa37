# The crossed mixed model of this study: the log odds of a right answer, with people and images
# as random effects. Needs R with lme4 (install.packages("lme4")), and no umnist.
#
#     Rscript mixed_model.R
#
# Reads tables/answers.csv and writes mixed_model.csv beside itself: one row a figure. umnist's
# own fit of the same model is in figures.json under "mixed"; it uses the same approximation.

suppressPackageStartupMessages(library(lme4))

answers <- read.csv("tables/answers.csv", stringsAsFactors = FALSE)
first <- answers[answers$kind == "label" & answers$counted == "True", ]
first$correct <- as.integer(first$correct == "True")
first$guided <- as.integer(first$pool == "guided")

# What cannot be told from chance is left out: images that were answered once each.
images <- length(unique(first$stimulus))
terms <- c(
  if (length(unique(first$pool)) > 1) "guided",
  if (length(unique(first$annotator)) < nrow(first)) "(1 | annotator)",
  if (images > 1 && images < nrow(first)) "(1 | stimulus)"
)
model <- glmer(
  reformulate(terms, "correct"),
  data = first,
  family = binomial,
  control = glmerControl(optimizer = "bobyqa", optCtrl = list(maxfun = 100000))
)
print(summary(model))

fixed <- coef(summary(model))
spread <- as.data.frame(VarCorr(model))
figures <- data.frame(
  figure = c(
    sub("(Intercept)", "intercept", rownames(fixed), fixed = TRUE),
    paste(spread$grp, "sd"),
    "log likelihood"
  ),
  estimate = c(fixed[, "Estimate"], spread$sdcor, as.numeric(logLik(model))),
  standard_error = c(fixed[, "Std. Error"], rep(NA, nrow(spread) + 1))
)
write.csv(figures, "mixed_model.csv", row.names = FALSE, na = "")
