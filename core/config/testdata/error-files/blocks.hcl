sorce "crm" "a" {} # ERROR: Unknown block "sorce"
pipeline {}        # ERROR: Unknown block "pipeline"
retries = 3        # ERROR: Attribute "retries" outside of a block

source "crm" {} # ERROR: Block "source" takes two labels

model {} # ERROR: Block "model" takes one label

privacy "strict" {} # ERROR: Block "privacy" takes no labels

identity "person" "extra" {} # ERROR: Block "identity" takes one label
