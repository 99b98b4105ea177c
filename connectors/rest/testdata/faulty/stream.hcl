connector "rest" "acme" {
  stream_field "properties" {
    type = "strings"
  }
  client {
    base_url = "https://acme.example"
  }
  stream "a" { # want: path is missing
    records = "items"
  }
  stream "b" {
    path = "/b/${parnt.id}" # want: Unknown name "parnt" Did you mean parent?
  }
  stream "c" {
    path = "/c"
    json = { list = option.propertis } # want: option.propertis is not declared Did you mean properties?
    paginate "cursor" { # want: paginate "cursor" needs next
    }
  }
  stream "d" {
    path = "/d"
    paginate "offset" { # want: paginate "offset" needs size
      total = response.body.total
    }
  }
  stream "e" {
    path = "/e"
    paginate "cursr" { # want: Unknown paginate kind "cursr" Did you mean cursor?
      next = response.body.next
    }
  }
  stream "f" {
    path = "/f"
    incremental "datetime" { # want: cursor is missing
    }
  }
  stream "g" {
    path = "/g"
    incremental "datetime" { # want: Invalid format
      cursor = "at"
      format = "%Q"
    }
  }
  stream "h" {
    path = "/h"
    schema {
      field "n" { # want: Unknown type "decimal(99,2)" is not one of
        type = "decimal(99,2)"
      }
    }
  }
  stream "i" {
    path = "/i"
    schema {
      field "a" {
      }
      field "a" { # want: Column "a" appears twice
      }
      field "m" { # want: Unknown meaning "person.emial" Did you mean person.email?
        means = "person.emial"
      }
    }
  }
  stream "j" {
    path = "/j"
    schema {
      field "a" { # want: Columns contradict each other
        path = "x"
      }
      field "b" {
        path = "x.y"
      }
    }
  }
  stream "k" {
    path = "/k"
    schema {
      field "at" {
      }
    }
    incremental "datetime" { # want: The cursor "at" is not a time
      cursor = "at"
    }
  }
  stream "l" { # want: Deletes need a primary key
    path = "/l"
    deletes "reconcile" {
    }
  }
  stream "m" {
    path = "/m"
    partition "parent" { # want: The parent stream is missing
    }
  }
  stream "n" { # want: Unknown stream "nobody"
    path = "/n"
    partition "parent" {
      stream = "nobody"
    }
  }
  stream "o" { # want: Streams are each other's parents
    path = "/o"
    partition "parent" {
      stream = "o"
    }
  }
  stream "p" { # want: A row cap without a way around it
    path = "/p"
    paginate "cursor" {
      next = response.body.next
      cap  = 100
    }
  }
  stream "q" { # want: Unknown meaning "money.mount" Did you mean money.amount?
    path  = "/q"
    means = { total = "money.mount" }
  }
  stream "r" { # want: The schema has no column "id"
    path        = "/r"
    primary_key = ["id"]
    schema {
      closed = true
      field "n" {
      }
    }
  }
  stream "s" {
    path = "/s"
    add  = parent # want: add must be an object
  }
  stream "u" {
    path  = "/u"
    query = { parent = [for parent in option.properties : parent] } # want: Name is taken
  }
}
