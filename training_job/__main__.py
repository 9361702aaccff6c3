from malaria.trainer import main

raise SystemExit(main())
